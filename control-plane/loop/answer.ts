import { answerVerdict } from '../../src/domain/question/answer.ts'
import type { Checkpoint } from '../../src/domain/task.ts'
import { attested } from './attested.ts'
import { closed } from './attempts.ts'
import { needed, type Work } from './work.ts'

/** Takes what the agent said last, in a tree that it left as it was, for the answer to a question. */
export function answer(work: Work, row: Checkpoint): void {
  const { deps, task } = work
  const agent = needed(row.agent, task, "an agent's result")
  // Over when its agent was: a time that is on record, so that a repeat attests the same.
  const { row: kept, attestation } = attested(work, closed(row, 'kept', task.updatedAt))
  const verdict = answerVerdict(task, agent, (text) => deps.secrets.redact(text))
  work.report(
    { type: 'answered', verdict },
    { checkpoints: [kept], attestation, data: { verdict: verdict.kind } },
  )
}
