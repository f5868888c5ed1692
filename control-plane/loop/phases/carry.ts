import type { Checkpoint } from '../../../src/domain/task.ts'
import { closed, newAttempt } from '../attempts.ts'
import type { Work } from '../work.ts'

/** An attempt whose agent has done its part is over; the next one has only its candidate to test. */
export function carriedOver({ deps, task }: Work, row: Checkpoint): readonly Checkpoint[] {
  const now = deps.clock()
  const { instruction, agent, candidate } = row
  const next = newAttempt(deps.store, task, row.step, now, { instruction, agent, candidate })
  return [closed(row, 'dropped', now), next]
}
