import type { Phase, Task } from './task.ts'

const doing: Readonly<Record<Phase, string>> = {
  prepare: 'preparing the worktree',
  setup: 'setup',
  baseline: 'test on the base',
  agent: 'agent at work',
  verify: 'checking the tree',
  candidate: 'making the candidate',
  test: 'testing',
  checkpoint: 'keeping the step',
  handover: 'handing over the branch',
  salvage: 'keeping what was done',
  postponed: 'waiting for room on the disk',
  merge: 'merging',
  merge_setup: 'setup of what is merged',
  merge_test: 'testing what is merged',
  merge_move: 'moving the branch',
  undo: 'undoing the merge',
  push: 'pushing the branch',
  pull_open: 'opening the pull request',
}

/** What is being done on a task; null where nothing is. */
export const activityOf = ({ phase }: Pick<Task, 'phase'>): string | null =>
  phase === null ? null : doing[phase]
