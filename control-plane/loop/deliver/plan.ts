import type { CommitId } from '../../../src/domain/brand.ts'
import type { Merge } from '../../../src/domain/delivery/merge.ts'
import type { Pull } from '../../../src/domain/delivery/pull.ts'
import type { Task } from '../../../src/domain/task.ts'
import { needed } from '../work.ts'

/** What was decided about a delivery. */
export function planOf(task: Task): Merge {
  return needed(task.merge, task, 'a delivery')
}

/** What was decided about a pull request. */
export function pullOf(task: Task): Pull {
  return needed(task.pull, task, 'a pull request')
}

/** The commits that a delivery is about, once it has made one. */
export function madeOf(task: Task): { readonly from: CommitId; readonly commit: CommitId } {
  const { from, commit } = planOf(task)
  return { from: needed(from, task, 'a tip'), commit: needed(commit, task, 'a merged commit') }
}
