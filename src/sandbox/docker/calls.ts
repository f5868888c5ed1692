import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { z } from 'zod'
import type { CreateBody } from './body.ts'
import type { Api } from './connect.ts'
import { statusOf } from './failures.ts'

// The engine's calls that dockerode does not offer as they are needed here.

const createdSchema = z.object({ Id: z.string(), Warnings: z.array(z.string()).nullable() })

/**
 * Creates a container; resolves to null where the name is taken. dockerode's own call throws the warnings away, and they
 * are all that some engines say when they drop a limit.
 */
export async function createContainer(
  { docker, ask }: Api,
  name: string,
  body: CreateBody,
): Promise<{ id: string; warnings: readonly string[] } | null> {
  try {
    const answer = await ask('make a box', ({ abortSignal }) => {
      return new Promise((resolve, reject) => {
        docker.modem.dial(
          {
            path: '/containers/create?',
            method: 'POST',
            options: { _query: { name }, _body: body },
            statusCodes: { 200: true, 201: true },
            abortSignal,
          },
          (error, result) => (error === null ? resolve(result) : reject(error)),
        )
      })
    })
    const created = createdSchema.parse(answer)
    return { id: created.Id, warnings: created.Warnings ?? [] }
  } catch (error) {
    if (statusOf(error) === 409) return null
    throw error
  }
}

/** A registered wait for a container's end. */
export interface Exit {
  /** `exited`, or `lost` where the engine went away before it said so. Never rejects. */
  readonly done: Promise<'exited' | 'lost'>
  stop(): void
}

/**
 * Waits for the end of a container; resolves as soon as the engine has taken note, which is before a start that follows.
 * `next-exit` is for one that was not started yet. After a start that failed it never ends: `stop` it.
 */
export async function awaitExit(
  { docker, ask }: Api,
  id: string,
  condition: 'next-exit' | 'not-running',
): Promise<Exit> {
  // Read by hand: dockerode's own call never settles when the engine goes away in the middle.
  const answer = await ask('wait for a box', () => {
    return new Promise<IncomingMessage>((resolve, reject) => {
      docker.modem.dial(
        {
          path: `/containers/${id}/wait?`,
          method: 'POST',
          options: { condition },
          statusCodes: { 200: true },
          isStream: true,
        },
        (error, result) => (error === null ? resolve(result as IncomingMessage) : reject(error)),
      )
    })
  })
  const done = new Promise<'exited' | 'lost'>((resolve) => {
    let said = ''
    answer.setEncoding('utf8')
    answer.on('data', (part: string) => (said += part))
    answer.on('end', () => resolve(said.includes('StatusCode') ? 'exited' : 'lost'))
    answer.on('error', () => resolve('lost'))
    answer.on('close', () => resolve('lost'))
  })
  return { done, stop: () => answer.destroy() }
}

/** A container's output, both streams in one, from now on. */
export async function attach({ docker, ask }: Api, id: string): Promise<Readable> {
  const stream = await ask('attach to a box', () =>
    docker.getContainer(id).attach({ stream: true, stdout: true, stderr: true, hijack: true }),
  )
  return guarded(stream as unknown as Readable)
}

/** A container's output from the beginning, as far as the engine kept it, and on until its end. */
export async function replay({ docker, ask }: Api, id: string): Promise<Readable> {
  const stream = await ask('show the output of a box', () =>
    docker.getContainer(id).logs({ follow: true, stdout: true, stderr: true }),
  )
  return guarded(stream as unknown as Readable)
}

/** An engine that goes away is an error of the stream; the wait beside it says so, and unheard it would end the process. */
function guarded(stream: Readable): Readable {
  return stream.on('error', () => undefined)
}
