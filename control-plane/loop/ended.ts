import type { BoxResult } from '../../src/domain/box.ts'
import { left } from '../../src/domain/budget.ts'
import type { Checkpoint } from '../../src/domain/task.ts'
import type { Planned } from './under-way.ts'
import type { Work } from './work.ts'

/**
 * Ends that are the same for every kind of box: lost by the engine, a full disk, the task's time used up. `row` is that of
 * the attempt, still open, with the box among those that have ended.
 * @param over what is on record of the attempt once it is over
 * @returns true when the end is dealt with and the phase has nothing more to do
 */
export async function ended(
  work: Work,
  result: BoxResult,
  row: Planned,
  what: string,
  over: readonly Checkpoint[],
): Promise<boolean> {
  if (result.end === 'engine') {
    work.report(
      { type: 'lost', text: `The engine lost the ${what} box: ${result.message ?? 'no reason given'}` },
      { checkpoints: over },
    )
    return true
  }
  const now = work.deps.store.task(work.task.id)
  const timeIsUp = result.end === 'time' && now !== null && left(now).ms < 1000
  if (result.end !== 'disk' && !timeIsUp) return false
  // The box of a step is removed when its work is kept; this one has nothing to keep.
  if (row.step === 0) await work.deps.engine.remove(row.box.name)
  const along = { checkpoints: row.step === 0 ? over : [row] }
  if (result.end === 'disk') {
    // One that the engine had no room for ended when it would have begun.
    const became = result.endedAt > result.startedAt ? 'ended' : 'not started'
    const text = `The disk of the data folder is nearly full, so the ${what} box was ${became}. Free some space, then resume.`
    work.report({ type: 'halted', reason: 'disk', text }, along)
  } else {
    work.report({ type: 'budget_spent', reason: 'time' }, along)
  }
  return true
}
