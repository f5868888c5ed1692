import type { Sight } from '../../src/domain/control-plane.ts'
import { taskJson } from './task-json.ts'

/** How the stream of one reader behaves, milliseconds and bytes. */
export interface StreamLimits {
  /** A beat is sent after so long without anything else, so that both ends notice a dead connection. */
  readonly heartbeatMs: number
  /** A reader that takes nothing for so long while something waits for it is dropped. */
  readonly stallMs: number
  /** So much may wait for a reader before nothing more is fetched for it, bytes. */
  readonly bufferBytes: number
}

export const streamLimits: StreamLimits = { heartbeatMs: 15_000, stallMs: 30_000, bufferBytes: 256 * 1024 }

export const streamHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
} as const

/**
 * What is watched as server-sent events, each written by `frameOf`. `watch` ends when the reader goes away or is dropped.
 * @param isIn asked before each that is sent, heartbeats too: false where the reader may not look any more, which is the end
 */
export function eventStream<T>(
  watch: (signal: AbortSignal) => AsyncIterable<T>,
  frameOf: (seen: T) => string,
  limits: StreamLimits,
  isIn: () => boolean,
): ReadableStream<Uint8Array> {
  const gone = new AbortController()
  const sights = watch(gone.signal)[Symbol.asyncIterator]()
  // Asked for at once: from now on nothing is missed.
  let next: Promise<IteratorResult<T>> | null = sights.next()
  let stall: NodeJS.Timeout | undefined
  const end = (): void => {
    clearTimeout(stall)
    gone.abort()
    // Where it waits to be asked for the next sight, it hears of nothing else.
    sights.return?.().catch(() => undefined)
  }

  /** The next frame: a sight, a heartbeat where none comes, or null at the end. */
  const frame = async (): Promise<string | null> => {
    next ??= sights.next()
    const result = await orAfter(next, limits.heartbeatMs)
    if (result === null) return beatFrame(limits)
    next = null
    return result.done === true ? null : frameOf(result.value)
  }

  /** What the reader is sent next; null at the end. Whatever fails here ends the watching: nobody cancels what has failed. */
  const textToSend = async (): Promise<string | null> => {
    try {
      const made = await frame()
      return made === null || gone.signal.aborted || !isIn() ? null : made
    } catch (error) {
      end()
      throw error
    }
  }

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        controller.enqueue(encode('retry: 500\n\n'))
      },
      async pull(controller) {
        clearTimeout(stall)
        const text = await textToSend()
        if (text === null) {
          end()
          controller.close()
          return
        }
        controller.enqueue(encode(text))
        stall = setTimeout(() => {
          if ((controller.desiredSize ?? 1) > 0) return
          end()
          controller.error(new Error('The reader is too slow.'))
        }, limits.stallMs)
        stall.unref()
      },
      cancel: end,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: limits.bufferBytes }),
  )
}

const encoder = new TextEncoder()
const encode = (text: string): Uint8Array => encoder.encode(text)

/** An event and not a comment, which no EventSource tells of. It has no id: what is replayed begins where it did before. */
const beatFrame = ({ heartbeatMs }: StreamLimits): string =>
  `event: beat\ndata: {"everyMs":${heartbeatMs}}\n\n`

/**
 * An event carries its `seq` as the id, so a reader that comes back with `Last-Event-ID` misses none; output has no id
 * and is not repeated.
 */
export function sightFrame(sight: Sight): string {
  if (sight.kind === 'output') {
    const { step, box, text, progress } = sight
    return `event: output\ndata: ${JSON.stringify({ step, box, text, progress })}\n\n`
  }
  // Many may look at one task: its JSON is made once.
  const { event, task } = sight
  return `event: event\nid: ${event.seq}\ndata: {"event":${JSON.stringify(event)},"task":${taskJson(task).toString()}}\n\n`
}

/** What `promise` resolves to, or null when it takes longer than `ms`. */
async function orAfter<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
