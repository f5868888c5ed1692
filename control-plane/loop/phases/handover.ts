import { placeOf, type Work } from '../work.ts'

/** Gives the source repository the task's branch. */
export async function handover(work: Work): Promise<void> {
  await work.deps.worktrees.handover(placeOf(work.task), work.task.head)
  work.report({ type: 'handed_over' })
}
