import type { BoxResult } from '../../src/domain/box.ts'
import type { TestResult } from '../../src/domain/task.ts'
import { tailOf } from './said.ts'

/** What a run of the test command came to: it passes when it ends by itself with exit code 0. */
export function testResultOf({ end, exitCode, output }: BoxResult): TestResult {
  return { passed: end === 'exited' && exitCode === 0, end, exitCode, tail: tailOf(output) }
}
