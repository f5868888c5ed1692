import { checkpointMessage } from '../../../src/domain/delivery/message.ts'
import { candidateText } from '../said.ts'
import { underWay } from '../under-way.ts'
import { reportViolation } from '../violation.ts'
import { placeOf, type Work } from '../work.ts'

/** Makes the commit that is to be tested, out of what the policy allows of the tree. */
export async function candidate(work: Work): Promise<void> {
  const { deps, task, signal } = work
  const row = underWay(work)
  const message = checkpointMessage(task, row, (text) => deps.secrets.redact(text))
  const made = await deps.worktrees.candidate(placeOf(task), task.head, message, signal)
  if (made.kind === 'refused') {
    reportViolation(work, row, made.violations)
    return
  }
  const { kind: _, ...kept } = made
  work.report(
    { type: 'candidate_made', text: candidateText(kept) },
    {
      checkpoints: [{ ...row, candidate: kept }],
      data: { commit: kept.commit, stat: kept.stat, leftOut: kept.leftOut },
    },
  )
}
