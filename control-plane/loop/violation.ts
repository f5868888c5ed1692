import type { Violation } from '../../src/domain/policy.ts'
import type { Checkpoint } from '../../src/domain/task.ts'
import { closed } from './attempts.ts'
import type { Work } from './work.ts'

/** What the policy forbids was found in what a step left: its attempt is over. */
export function reportViolation(work: Work, row: Checkpoint, violations: readonly Violation[]): void {
  const checkpoints = [closed({ ...row, violations }, 'dropped', work.deps.clock())]
  work.report({ type: 'violated', violations }, { checkpoints, data: { violations } })
}
