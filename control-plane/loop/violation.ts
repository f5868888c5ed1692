import type { Violation } from '../../src/domain/policy.ts'
import type { Checkpoint } from '../../src/domain/task.ts'
import { closed } from './attempts.ts'
import { attested } from './attested.ts'
import type { Work } from './work.ts'

/** What the policy forbids was found in what a step left: its attempt is over. */
export function reportViolation(work: Work, row: Checkpoint, violations: readonly Violation[]): void {
  const over = closed({ ...row, violations }, 'dropped', work.deps.clock())
  const { row: dropped, attestation } = attested(work, over)
  work.report({ type: 'violated', violations }, { checkpoints: [dropped], attestation, data: { violations } })
}
