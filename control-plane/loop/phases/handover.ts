import { openSurface } from '../../gate/surfaces.ts'
import { placeOf, type Work } from '../work.ts'

/** Gives the source repository the task's branch. What becomes of it there is for a person to decide. */
export async function handover(work: Work): Promise<void> {
  const { deps, task } = work
  await deps.worktrees.handover(placeOf(task), task.head)
  const applied = { ...task, status: 'APPLIED', phase: null } as const
  work.report({ type: 'handed_over' }, { surface: { open: openSurface(applied, deps.clock()) } })
}
