import type { OutputStream, TakeOutput } from './frames.ts'

/** What of a stream's start tells whether the engine still has it, bytes. */
const markBytes = 4096

/** What was handed on of one stream. */
interface Given {
  bytes: number
  readonly start: Buffer
}

export interface ReplayFilter {
  /** Takes what comes by attaching: all of it is new. */
  readonly live: TakeOutput
  /** Makes what takes the output where it is given from the beginning. */
  replay(): TakeOutput
}

/**
 * Hands each byte of a box's output on once, although the engine gives it from the beginning again when a box is watched
 * anew: what was seen before is skipped, for each of the two streams, as the engine may interleave them in another way.
 * Where it no longer has the beginning, nothing can be skipped: what it kept comes again, which is better than to lose the end.
 */
export function replayFilter(hand: (part: Buffer) => void): ReplayFilter {
  const all = new Map<OutputStream, Given>()

  const live: TakeOutput = (part, stream) => {
    const given = all.get(stream) ?? { bytes: 0, start: Buffer.alloc(markBytes) }
    if (given.bytes < markBytes) part.copy(given.start, given.bytes)
    given.bytes += part.length
    all.set(stream, given)
    hand(part)
  }

  /** Whether this part, at this place of its stream, is what was seen there; only the start is compared. */
  const isKnown = (part: Buffer, stream: OutputStream, from: number): boolean => {
    const given = all.get(stream)
    if (given === undefined) return true
    const seen = given.start.subarray(from, Math.min(given.bytes, markBytes, from + part.length))
    return part.subarray(0, seen.length).equals(seen)
  }

  return {
    live,
    replay() {
      const toSkip = new Map([...all].map(([stream, { bytes }]) => [stream, bytes]))
      const passed = new Map<OutputStream, number>()
      return (part, stream) => {
        const from = passed.get(stream) ?? 0
        passed.set(stream, from + part.length)
        if (from < (toSkip.get(stream) ?? 0) && !isKnown(part, stream, from)) toSkip.set(stream, from)
        const fresh = part.subarray(Math.max(0, (toSkip.get(stream) ?? 0) - from))
        if (fresh.length > 0) live(fresh, stream)
      }
    },
  }
}
