import type { BoxKind, BoxSpec } from '../../src/domain/box.ts'
import type { Checkpoint } from '../../src/domain/task.ts'
import { closed, newAttempt } from './attempts.ts'
import { needed, type Work } from './work.ts'

/** A row of intent: it names the box that is to be run. */
export type Planned = Checkpoint & { readonly box: BoxSpec }

/** The row of intent whose box of this kind is to be run now, or null where it must be made first. */
export function planned(work: Work, kind: BoxKind): Planned | null {
  const row = work.deps.store.openCheckpoint(work.task.id)
  return row?.box?.kind === kind ? { ...row, box: row.box } : null
}

/** The attempt that is under way. */
export function underWay({ deps, task }: Work): Checkpoint {
  return needed(deps.store.openCheckpoint(task.id), task, 'an attempt under way')
}

/** An attempt whose agent has done its part is over; the next one has only its candidate to test. */
export function carriedOver({ deps, task }: Work, row: Checkpoint): readonly Checkpoint[] {
  const now = deps.clock()
  const { instruction, agent, candidate, boxes } = row
  const next = newAttempt(deps.store, task, row.step, now, { instruction, agent, candidate, boxes })
  return [closed(row, 'dropped', now), next]
}
