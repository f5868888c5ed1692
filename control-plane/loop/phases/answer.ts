import type { Violation } from '../../../src/domain/policy.ts'
import { answerVerdict } from '../../../src/domain/question/answer.ts'
import type { Checkpoint } from '../../../src/domain/task.ts'
import { attested } from '../attested.ts'
import { closed } from '../attempts.ts'
import { reportViolation } from '../violation.ts'
import { needed, placeOf, type Work } from '../work.ts'

/** Reads the tree that a question was to leave as it was, and takes what the agent said last for the answer. */
export async function answer(work: Work, row: Checkpoint): Promise<void> {
  const { task } = work
  const agent = needed(row.agent, task, "an agent's result")
  const violations = await changedBy(work)
  if (violations.length > 0) {
    reportViolation(work, row, violations)
    return
  }
  // Over when its agent was: a time that is on record, so that a repeat attests the same.
  const { row: kept, attestation } = attested(work, closed(row, 'kept', task.updatedAt))
  const verdict = answerVerdict(task, agent)
  work.report(
    { type: 'answered', verdict },
    { checkpoints: [kept], attestation, data: { verdict: verdict.kind } },
  )
}

/** Whatever the policy says of a path: in a question's box each was readonly, so a change of any is a defeated mount. */
export async function changedBy({ deps, task, signal }: Work): Promise<readonly Violation[]> {
  const place = placeOf(task)
  const policy = { ...task.policy, readonly: ['*', ...task.policy.readonly] }
  const found = await deps.worktrees.verify({ ...place, policy }, task.head, signal)
  return found.map((violation) => ({ ...violation, what: 'mask' }))
}
