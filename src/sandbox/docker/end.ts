import type { BoxEnd, BoxLimits } from '../../domain/box.ts'
import type { Millis } from '../../domain/brand.ts'

/** Why watching a box came to its end. `lost`: the engine went away, or came back without it. */
export type Cause = 'exit' | 'killed' | 'time' | 'disk' | 'lost'

export interface EndFacts {
  readonly cause: Cause
  readonly exitCode: number
  readonly oomKilled: boolean
  /** How long it ran. */
  readonly ran: Millis
  /** It had ended before it was looked at, or was ended from outside. */
  readonly abandoned: boolean
  /** All of its output, as it is kept. */
  readonly output: string
  readonly program: string
  readonly limits: BoxLimits
}

/** The exit codes of a box that a signal ended, and the one that an engine writes which was itself killed. */
export const signalled: ReadonlySet<number> = new Set([137, 143, 255])

/** Why a box ended, with a sentence where that was not by itself. Pure. */
export function endOf(facts: EndFacts): { end: BoxEnd; message: string | null } {
  const { cause, exitCode, oomKilled, ran, abandoned, limits } = facts
  const late = { end: 'time', message: `The box was ended after its ${limits.seconds} s.` } as const
  switch (cause) {
    case 'killed':
      return { end: 'killed', message: 'The box was stopped.' }
    case 'time':
      return late
    case 'disk':
      return { end: 'disk', message: diskMessage(limits) }
    case 'lost':
      return {
        end: 'engine',
        message: 'The engine went away while the box was running, and the box with it.',
      }
    case 'exit':
      break
  }
  // A child may be killed for its memory in a box that goes on and ends well.
  if (oomKilled && exitCode !== 0)
    return {
      end: 'oom',
      message: `The box used more than its ${limits.memoryMb} MiB of memory and was ended.`,
    }
  // The entry's own deadline. It goes by another clock than the engine's times.
  if ((exitCode === 124 || exitCode === 137) && ran >= limits.seconds * 990) return late
  const why = whyNotStarted(facts)
  if (why !== null) return { end: 'not_started', message: `The command could not be started: ${why}.` }
  if (abandoned && signalled.has(exitCode))
    return { end: 'engine', message: `The box was ended from outside (code ${exitCode}).` }
  return { end: 'exited', message: null }
}

/**
 * What the entry says of a command that it could not execute, or of a missing prompt; null where the command ran. A command
 * may end with the same codes by itself, so the entry's line has to name this command, and be all that was printed.
 */
function whyNotStarted({ exitCode, output, program }: EndFacts): string | null {
  if (exitCode !== 126 && exitCode !== 127) return null
  const said = /^(?:timeout: failed to run command|cofferdam:) (.+)\n$/.exec(output)?.[1]
  if (said === undefined) return null
  return said.includes(program) || said.startsWith('cannot read ') ? said : null
}

export function diskMessage({ diskFreeMb }: BoxLimits): string {
  return `The disk has less than ${diskFreeMb} MiB free: make room, then resume.`
}
