import { setupBox } from '../boxes.ts'
import { howOf, printedLast } from '../said.ts'
import { needed, placeOf, type Work } from '../work.ts'
import { runMergeBox } from './box.ts'
import { end } from './ending.ts'
import { madeOf } from './plan.ts'

/** Runs setup on what is merged, whose manifests are others than the task's, or whose folders are gone by now. */
export async function mergeSetup(work: Work): Promise<void> {
  const { deps, task } = work
  const { commit } = madeOf(task)
  const text =
    'Setup of what is merged starts; it reaches the package registries of this machine and nothing else.'
  const ran = await runMergeBox(work, 'setup', text, async () =>
    setupBox(task, needed(task.setup, task, 'a setup command'), commit, await deps.registries()),
  )
  if (ran === null) return
  const { result, done } = ran
  if (result.end !== 'exited' || result.exitCode !== 0) {
    const said = `Not merged: setup of what is merged failed (${howOf(result)}). ${printedLast(result.output)}`
    end(work, { type: 'merge_refused', why: 'setup', text: said }, { checkpoints: [done] })
    return
  }
  const place = placeOf(task)
  await deps.worktrees.keepSetup(place, await deps.worktrees.setupKey(place, commit))
  work.report(
    { type: 'merge_advanced', phase: 'merge_test', text: 'Setup of what is merged is done.' },
    { checkpoints: [{ ...done, state: 'kept' }] },
  )
}
