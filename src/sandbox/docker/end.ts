import type { BoxEnd, BoxLimits } from '../../domain/box.ts'
import type { Millis } from '../../domain/brand.ts'

/** Why watching a box came to its end. `lost`: the engine went away, or came back without it. */
export type Cause = 'exit' | 'killed' | 'time' | 'disk' | 'grown' | 'output' | 'lost'

/** A box that prints this many times of what is kept is ended. */
export const mostOutput = 64

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

type Ended = { readonly end: BoxEnd; readonly message: string | null }

/** Why a box ended, with a sentence where that was not by itself. Pure. */
export function endOf(facts: EndFacts): Ended {
  const { cause, limits } = facts
  switch (cause) {
    case 'killed':
      return { end: 'killed', message: 'The box was stopped.' }
    case 'time':
      return late(limits)
    case 'disk':
      return { end: 'disk', message: diskMessage(limits) }
    case 'grown':
      return {
        end: 'grown',
        message: `The box added more than ${limits.worktreeMb} MiB or ${limits.worktreeFiles} files to its worktree and was ended: have it clean up after itself, or raise the limits worktreeMb and worktreeFiles.`,
      }
    case 'output':
      return {
        end: 'output',
        message: `The box printed more than ${limits.outputMb * mostOutput} MiB and was ended: have it print less, or raise the limit outputMb.`,
      }
    case 'lost':
      return {
        end: 'engine',
        message: 'The engine went away while the box was running, and the box with it.',
      }
    case 'exit':
      return exitOf(facts)
  }
}

function exitOf(facts: EndFacts): Ended {
  const { exitCode, oomKilled, ran, abandoned, limits } = facts
  // A child may be killed for its memory, or refused, in a box that goes on and ends well.
  if (exitCode === 0) return { end: 'exited', message: null }
  if (oomKilled || hasSaid(facts, memoryLine))
    return {
      end: 'oom',
      message: `The box used more than its ${limits.memoryMb} MiB of memory and was ended: have it use less, or raise the limit memoryMb.`,
    }
  if (hasSaid(facts, processesLine))
    return {
      end: 'pids',
      message: `The box wanted more than its ${limits.pids} processes and did not survive that: have it start fewer at once, or raise the limit pids.`,
    }
  // The entry's own deadline. It goes by another clock than the engine's times, and the engine writes down a start only once
  // the box runs: on a busy machine, tenths of a second after the entry began to count. A kill comes the entry's grace later.
  const most = limits.seconds * 1000
  if (exitCode === 124 && ran >= Math.min(most - 1000, most * 0.99)) return late(limits)
  if (exitCode === 137 && ran >= most) return late(limits)
  const why = whyNotStarted(facts)
  if (why !== null) return { end: 'not_started', message: `The command could not be started: ${why}.` }
  if (abandoned && signalled.has(exitCode))
    return { end: 'engine', message: `The box was ended from outside (code ${exitCode}).` }
  return { end: 'exited', message: null }
}

function late(limits: BoxLimits): Ended {
  return { end: 'time', message: `The box was ended after its ${limits.seconds} s.` }
}

const memoryLine = /^cofferdam: the limit of memory was reached$/m
const processesLine = /^cofferdam: the limit of \d+ processes was reached$/m

/**
 * Whether the entry has said this at the end, where other last words may have come between. A box that says it by itself
 * only makes its own failure look like another.
 */
function hasSaid({ output }: EndFacts, line: RegExp): boolean {
  return line.test(output.slice(-4096))
}

/**
 * What the entry says of a command that it could not execute, of a missing prompt, or of walls that are not there; null
 * where the command ran. A command may end with the same codes by itself, so the entry's line has to name this command, and
 * be all that was printed.
 */
function whyNotStarted({ exitCode, output, program }: EndFacts): string | null {
  if (exitCode !== 125 && exitCode !== 126 && exitCode !== 127) return null
  const said = /^cofferdam: (.+)\n$/.exec(output)?.[1]
  if (said === undefined) return null
  if (exitCode === 125) return said.startsWith('the walls of the box ') ? said : null
  return said.startsWith(`cannot run ${program}: `) || said.startsWith('cannot read ') ? said : null
}

export function diskMessage({ diskFreeMb }: BoxLimits): string {
  return `The disk has less than ${diskFreeMb} MiB free: make room, then resume.`
}
