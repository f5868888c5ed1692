import { createInterface } from 'node:readline'
import { z } from 'zod'
import { Failure } from '../../../domain/failure.ts'

const eventSchema = z.object({
  /** Output of a build. */
  stream: z.string().optional(),
  /** What a pull or an import does; of an import the last one is the image's id. */
  status: z.string().optional(),
  error: z.string().optional(),
})
export type ImageEvent = z.infer<typeof eventSchema>

/**
 * Reads the JSON lines by which the engine tells how a pull, an import or a build goes on, to their end. Rejects with
 * `Failure('image')` where one of them is an error: the answer's status is 200 then as well. `what` completes "could not".
 */
export async function follow(
  answer: NodeJS.ReadableStream,
  what: string,
  seen: (event: ImageEvent) => void,
): Promise<void> {
  const said: string[] = []
  for await (const line of createInterface({ input: answer, crlfDelay: Infinity })) {
    if (line === '') continue
    const event = eventSchema.parse(JSON.parse(line))
    if (event.stream !== undefined) said.push(event.stream)
    if (event.error !== undefined) {
      const last = said.join('').trim().split('\n').slice(-15).join('\n')
      throw new Failure(
        'image',
        `The engine could not ${what}: ${event.error}${last === '' ? '' : `\n${last}`}`,
      )
    }
    seen(event)
  }
}
