import type { BoxResult } from '../../src/domain/box.ts'
import type { Checkpoint } from '../../src/domain/task.ts'
import { closed, newAttempt } from './attempts.ts'
import { withEnded } from './box-record.ts'
import { begin } from './begin.ts'
import { attendBox } from './box-run.ts'
import type { Wanted } from './boxes.ts'
import { ended } from './ended.ts'
import { planned } from './under-way.ts'
import type { Work } from './work.ts'

/** A preparation that has been run: its box is gone, and nothing is on record yet of what it came to. */
interface Ran {
  readonly result: BoxResult
  /** Closed as `dropped`. */
  readonly done: Checkpoint
}

/**
 * One turn of a preparation, which has a row at step 0: records the intent to run its command in a box of its own, or runs
 * it. Resolves to null where nothing is left to do in this turn.
 */
export async function runPreparation(
  work: Work,
  kind: 'setup' | 'baseline',
  want: () => Promise<Wanted> | Wanted,
): Promise<Ran | null> {
  const { deps, task } = work
  const row = planned(work, kind)
  if (row === null) {
    await begin(work, newAttempt(deps.store, task, 0, deps.clock()), want)
    return null
  }
  const result = await attendBox(work, row)
  if (result === null) return null
  const over = withEnded(work, row, result)
  const done = closed(over, 'dropped', deps.clock())
  if (await ended(work, result, over, kind === 'setup' ? 'setup' : 'test', [done])) return null
  await deps.engine.remove(row.box.name)
  return { result, done }
}
