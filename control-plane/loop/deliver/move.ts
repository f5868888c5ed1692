import type { MergeWay } from '../../../src/domain/delivery/merge.ts'
import { placeOf, type Work } from '../work.ts'
import { again } from './box.ts'
import { end } from './ending.ts'
import { madeOf, planOf } from './plan.ts'

/** Moves the branch to what was merged and tested, if it is still where it was. */
export async function mergeMove(work: Work): Promise<void> {
  const { deps, task } = work
  const { into } = planOf(task)
  const { from, commit } = madeOf(task)
  const moved = await deps.worktrees.move(placeOf(task), { into, from, to: commit, back: false })
  if (moved.kind === 'elsewhere' || moved.kind === 'gone') {
    again(work, `${into} has moved to ${moved.tip.slice(0, 10)} meanwhile.`)
    return
  }
  if (moved.kind === 'refused') {
    end(work, { type: 'merge_refused', why: 'other', text: `Not merged: ${moved.text}` })
    return
  }
  const text = `Merged into ${into}: ${from.slice(0, 10)}..${commit.slice(0, 10)}.`
  end(work, { type: 'merged', text }, { data: { into, from, commit } })
}

/** What takes a merge out of a branch that has gone on: git has to be told which parent of a merge commit stays. */
function revertOf(how: MergeWay, from: string, commit: string): string {
  const made = commit.slice(0, 10)
  const what = { merge: `-m 1 ${made}`, squash: made, 'fast-forward': `${from.slice(0, 10)}..${made}` }[how]
  return `git revert ${what}`
}

/** Moves the branch back to where it was before, if nobody has moved it since. */
export async function undoMove(work: Work): Promise<void> {
  const { deps, task } = work
  const { into, how } = planOf(task)
  const { from, commit } = madeOf(task)
  const moved = await deps.worktrees.move(placeOf(task), { into, from: commit, to: from, back: true })
  if (moved.kind === 'elsewhere') {
    const text = `Not undone: ${into} is at ${moved.tip.slice(0, 10)} by now, with work that is not this task's. \`${revertOf(how, from, commit)}\` takes the merge out of it.`
    end(work, { type: 'undo_refused', text })
    return
  }
  if (moved.kind === 'gone') {
    const text = `Undone: ${into} is at ${moved.tip.slice(0, 10)} by now, and does not hold the merge any more.`
    end(work, { type: 'undone', text })
    return
  }
  if (moved.kind === 'refused') {
    end(work, { type: 'undo_refused', text: `Not undone: ${moved.text}` })
    return
  }
  end(work, { type: 'undone', text: `Undone: ${into} is at ${from.slice(0, 10)} again.` })
}
