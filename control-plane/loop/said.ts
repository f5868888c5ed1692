import type { BoxResult } from '../../src/domain/box.ts'
import { counted, fewOf } from '../../src/domain/text.ts'
import type { Candidate } from '../../src/domain/worktree.ts'

// What a box printed, how it ended and what it changed, in words.

/** Kept of a test's output with the checkpoint, and shown to the agent, characters. */
const tailLength = 16_384

export function tailOf(output: string): string {
  return output.length <= tailLength ? output : `[…]${output.slice(-tailLength)}`
}

/** The end of an output as the last sentence of ours: in quotes, as nobody should take a box's words for ours. */
export function printedLast(output: string): string {
  const end = output.trim().slice(-600)
  return end === '' ? 'It printed nothing.' : `It printed last: "${end}"`
}

export function howOf(result: BoxResult): string {
  return result.end === 'exited' ? `exit code ${result.exitCode}` : (result.message ?? result.end)
}

/** What a failed test run says: how it ended, and the end of its output. */
export function failureOf(result: BoxResult): string {
  return `The test command failed (${howOf(result)}). Its output ended with:\n${tailOf(result.output)}`
}

export function candidateText(made: Candidate): string {
  const { files, insertions, deletions } = made.stat
  const what = made.changed
    ? `${counted(files, 'file')} changed (+${insertions} −${deletions}).`
    : 'No file changed.'
  const leftOut =
    made.leftOut.length === 0
      ? ''
      : ` Left out: ${fewOf(made.leftOut.map(({ path, why }) => `${path} (${why})`))}.`
  return what + leftOut
}
