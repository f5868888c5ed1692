import type { CommitId } from '../../../src/domain/brand.ts'
import type { Merge } from '../../../src/domain/delivery/merge.ts'
import type { Input } from '../../../src/domain/input.ts'
import type { Task } from '../../../src/domain/task.ts'
import { transition } from '../../../src/domain/transition/apply.ts'
import { offerOf } from '../../gate/surfaces.ts'
import type { Along } from '../../tasks.ts'
import { needed, type Work } from '../work.ts'

/** What was decided about a delivery. */
export function planOf(task: Task): Merge {
  return needed(task.merge, task, 'a delivery')
}

/** The commits that a delivery is about, once it has made one. */
export function madeOf(task: Task): { readonly from: CommitId; readonly commit: CommitId } {
  const { from, commit } = planOf(task)
  return { from: needed(from, task, 'a tip'), commit: needed(commit, task, 'a merged commit') }
}

/** The end of a delivery, which leaves something else to be decided. */
export function end(work: Work, input: Input, along: Along = {}): void {
  const { deps, task } = work
  const after = transition(task, input, deps.clock())
  if (after.kind === 'refused') throw new Error(after.text)
  work.report(input, { ...along, surface: { closeAll: true, ...offerOf(after.task, deps.clock()) } })
}
