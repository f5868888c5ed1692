import type { BoxResult } from '../../../src/domain/box.ts'
import type { Checkpoint } from '../../../src/domain/task.ts'
import { closed, newAttempt, withBox } from '../attempts.ts'
import { attendBox } from '../box-run.ts'
import { withEnded } from '../box-record.ts'
import { boxOf, type Wanted } from '../boxes.ts'
import { planned } from '../under-way.ts'
import type { Work } from '../work.ts'
import { mostTries } from '../../../src/domain/delivery/merge.ts'
import { end } from './ending.ts'
import { planOf } from './plan.ts'

/** A box of a delivery that has ended by itself or by one of its limits. Nothing is on record yet of what it came to. */
interface Ran {
  readonly result: BoxResult
  /** Closed as `dropped`. */
  readonly done: Checkpoint
}

/**
 * One turn of a box of a delivery, which has a row at step 0 as preparations have: records the intent to run it, or runs it.
 * Resolves to null where nothing is left to do in this turn.
 */
export async function runMergeBox(
  work: Work,
  kind: 'setup' | 'test',
  text: string,
  want: () => Promise<Wanted> | Wanted,
): Promise<Ran | null> {
  const { deps } = work
  const row = planned(work, kind)
  if (row === null) {
    await begin(work, text, await want())
    return null
  }
  const result = await attendBox(work, row)
  if (result === null) return null
  const done = closed(withEnded(work, row, result), 'dropped', deps.clock())
  await deps.engine.remove(row.box.name)
  if (result.end === 'engine') {
    again(work, `The engine lost the ${kind} box: ${result.message ?? 'no reason given'}`, [done])
    return null
  }
  if (result.end === 'disk') {
    const said = `Not merged: the disk of the data folder is nearly full. Free some space, then merge again.`
    end(work, { type: 'merge_refused', why: 'other', text: said }, { checkpoints: [done] })
    return null
  }
  return { result, done }
}

async function begin(work: Work, text: string, wanted: Wanted): Promise<void> {
  const { deps, task } = work
  const image = await deps.engine.image({ agent: task.agent.name, repository: task.repository.path })
  if (work.signal.aborted) return
  const row = newAttempt(deps.store, task, 0, deps.clock())
  // The task has done its work: a box of its delivery gets as long as if nothing of the budget of time were used up.
  const spec = boxOf(deps, { ...task, spent: { ...task.spent, ms: 0 } }, row, image, wanted)
  work.log.info({ box: spec.name, specHash: deps.specHash(spec), spec }, 'box planned')
  work.report(
    { type: 'merge_begun', text },
    { checkpoints: [withBox(row, spec)], data: { box: spec.name, kind: wanted.kind } },
  )
}

/** Begins the delivery again, from where the branch is now; after some times it is given up. */
export function again(work: Work, why: string, checkpoints: readonly Checkpoint[] = []): void {
  const { into, tries } = planOf(work.task)
  if (tries + 1 < mostTries) {
    work.report({ type: 'merge_overtaken', text: `${why} It is merged anew.` }, { checkpoints })
    return
  }
  const text = `Not merged: ${why} That was the ${mostTries}th time: merge again when ${into} rests.`
  end(work, { type: 'merge_refused', why: 'other', text }, { checkpoints })
}
