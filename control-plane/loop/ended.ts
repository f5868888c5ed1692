import type { BoxResult } from '../../src/domain/box.ts'
import { left } from '../../src/domain/budget.ts'
import type { Checkpoint } from '../../src/domain/task.ts'
import { closed } from './attempts.ts'
import { needed, type Work } from './work.ts'

/**
 * Ends that are the same for every kind of box: lost by the engine, a full disk, the task's time used up. `row` is that of
 * the attempt, still open, with the box among those that have ended.
 * @returns true when the end is dealt with and the phase has nothing more to do
 */
export async function ended(work: Work, result: BoxResult, row: Checkpoint, what: string): Promise<boolean> {
  const dropped = closed(row, 'dropped', work.deps.clock())
  if (result.end === 'engine') {
    work.report(
      { type: 'lost', text: `The engine lost the ${what} box: ${result.message ?? 'no reason given'}` },
      { checkpoints: [dropped] },
    )
    return true
  }
  const now = work.deps.store.task(work.task.id)
  const timeIsUp = result.end === 'time' && now !== null && left(now).ms < 1000
  if (result.end !== 'disk' && !timeIsUp) return false
  // The box of a step is removed when its work is kept; this one has nothing to keep.
  if (row.step === 0) await work.deps.engine.remove(needed(row.box, work.task, 'a box').name)
  const along = { checkpoints: [row.step === 0 ? dropped : row] }
  if (result.end === 'disk') {
    const text = `The disk of the data folder is nearly full, so the ${what} box was ended. Free some space, then resume.`
    work.report({ type: 'halted', reason: 'disk', text }, along)
  } else {
    work.report({ type: 'budget_spent', reason: 'time' }, along)
  }
  return true
}
