import type { BoxResult } from '../../../src/domain/box.ts'

// What a box printed and how it ended, in words.

/** Kept of a test's output with the checkpoint, and shown to the agent, characters. */
const tailLength = 16_384

export function tailOf(output: string): string {
  return output.length <= tailLength ? output : `[…]${output.slice(-tailLength)}`
}

/** The end of an output, for a sentence. */
export function lastLines(output: string, most = 600): string {
  return output.trimEnd().slice(-most)
}

export function howOf(result: BoxResult): string {
  return result.end === 'exited' ? `exit code ${result.exitCode}` : (result.message ?? result.end)
}

/** What a failed test run says: how it ended, and the end of its output. */
export function failureOf(result: BoxResult): string {
  return `The test command failed (${howOf(result)}). Its output ended with:\n${tailOf(result.output)}`
}
