import { underWay } from '../under-way.ts'
import { reportViolation, violationsOf } from '../violation.ts'
import { needed, type Work } from '../work.ts'
import { answer } from '../answer.ts'

/** Removes the agent's box and reads the tree that it left: what the policy forbids undoes the step. */
export async function verify(work: Work): Promise<void> {
  const row = underWay(work)
  const violations = await violationsOf(work, needed(row.box, work.task, 'a box'))
  if (violations.length > 0) {
    reportViolation(work, row, violations)
    return
  }
  if (work.task.kind === 'question') return answer(work, row)
  work.report({ type: 'advanced', phase: 'candidate', text: 'The tree is inside the policy.' })
}
