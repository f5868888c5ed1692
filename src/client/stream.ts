import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { sightSchema } from '../domain/answers.ts'
import type { Sight } from '../domain/control-plane.ts'
import { deferred } from '../domain/deferred.ts'
import { type ChunkReader, Unreachable } from './fetch.ts'

/** The server sends something at least every 15 s; after so long without anything it is taken for dead, milliseconds. */
const silenceMs = 45_000

/**
 * The sights of a stream, until `signal` aborts. Its end, which the server makes where the task is final, a broken
 * connection and a long silence are all `Unreachable`: the reader comes back with the last `seq` it saw, and is told of a
 * final task that nothing follows.
 */
export async function* sights(
  reader: ChunkReader,
  signal: AbortSignal,
  silence = silenceMs,
): AsyncGenerator<Sight> {
  const decoder = new TextDecoder()
  const ready: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (message) => ready.push(message) })
  try {
    for (;;) {
      const text = decoder.decode(await chunk(reader, signal, silence), { stream: true })
      parser.feed(text)
      for (const message of ready.splice(0)) {
        const sight = parse(message)
        if (sight !== null) yield sight
      }
    }
  } catch (error) {
    if (signal.aborted) return
    throw error instanceof Broken ? new Unreachable(true, error) : error
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

/** A beat says nothing but that the server is there; an event of an unknown kind is of a newer one. Both are passed over. */
function parse({ event, data }: EventSourceMessage): Sight | null {
  if (event !== 'event' && event !== 'output') return null
  return sightSchema.parse(Object.assign({ kind: event }, JSON.parse(data) as unknown))
}

class Broken extends Error {}

/** The next bytes. Rejects with `Broken` at the end, when the connection breaks, when nothing comes, and on abort. */
async function chunk(reader: ChunkReader, signal: AbortSignal, silence: number): Promise<Uint8Array> {
  const { promise: never, reject } = deferred<never>()
  const onAbort = (): void => reject(new Broken('Nobody reads any more.'))
  const timer = setTimeout(() => reject(new Broken('Nothing came for too long.')), silence)
  signal.addEventListener('abort', onAbort)
  try {
    if (signal.aborted) onAbort()
    const { value } = await Promise.race([reader.read(), never])
    if (value instanceof Uint8Array) return value
    throw new Broken('The stream has ended.')
  } catch (error) {
    throw new Broken('The stream has broken off.', { cause: error })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}
