import type { BoxResult, BoxSpec, Peaks } from '../../domain/box.ts'
import type { Seen } from './compare.ts'
import { startOf } from './containers.ts'
import { diskMessage, endOf, type Cause } from './end.ts'
import type { Output } from './output.ts'
import type { Parts } from './parts.ts'
import { noPeaks } from './peaks.ts'

interface Ran {
  readonly parts: Pick<Parts, 'now'>
  readonly spec: BoxSpec
  readonly output: Output
  /** What it was seen to use. */
  readonly peaks: () => Peaks
}

/**
 * The result of a box, from what the engine says of it at its end: `seen`, which is null where the engine has lost it.
 * `abandoned`: it had ended before it was looked at, or was ended from outside.
 */
export function resultOf(
  { parts, spec, output, peaks }: Ran,
  seen: Seen | null,
  cause: Cause,
  abandoned: boolean,
): BoxResult {
  const startedAt = (seen && startOf(seen)) ?? parts.now()
  const ended = seen === null || seen.State.Running ? parts.now() : Date.parse(seen.State.FinishedAt)
  // The engine's times are rounded, and ours are another clock's.
  const endedAt = Math.max(startedAt, ended)
  const text = output.text()
  const why = endOf({
    cause: seen === null ? 'lost' : cause,
    exitCode: seen?.State.ExitCode ?? 0,
    oomKilled: seen?.State.OOMKilled ?? false,
    ran: endedAt - startedAt,
    abandoned,
    output: text,
    program: spec.argv[0] ?? '',
    limits: spec.limits,
  })
  return {
    ...why,
    exitCode: seen === null || why.end === 'engine' ? null : seen.State.ExitCode,
    output: text,
    outputBytes: output.bytes,
    truncated: output.truncated,
    startedAt,
    endedAt,
    peaks: peaks(),
  }
}

/** The result of a box that was not started: stopped before, or no room for it. */
export function neverRan({ parts, spec }: Pick<Ran, 'parts' | 'spec'>, end: 'killed' | 'disk'): BoxResult {
  const at = parts.now()
  const message = end === 'disk' ? diskMessage(spec.limits) : 'The box was stopped before it started.'
  const nothing = { exitCode: null, output: '', outputBytes: 0, truncated: false }
  return { end, ...nothing, startedAt: at, endedAt: at, peaks: noPeaks, message }
}
