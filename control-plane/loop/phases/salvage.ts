import type { Checkpoint } from '../../../src/domain/task.ts'
import { closed } from '../attempts.ts'
import { commitMessage } from '../commit-message.ts'
import { candidateText } from '../said.ts'
import { placeOf, type Work } from '../work.ts'

/**
 * After a halt in the middle of a step: the box goes, and what the policy allows of the tree is kept as a partial
 * checkpoint for a later resume. After a violation, whose attempt is over, the tree goes back to the last checkpoint.
 */
export async function salvage(work: Work): Promise<void> {
  const { deps, task } = work
  const row = deps.store.openCheckpoint(task.id)
  if (row === null) {
    await deps.worktrees.restore(placeOf(task), task.head)
    work.report({ type: 'salvaged', head: task.head, text: 'The worktree is back at the last checkpoint.' })
    return
  }
  if (row.box !== null) await deps.engine.remove(row.box.name)
  if (row.step === 0) {
    await putBack(work, row, 'The step was undone.')
    return
  }
  const place = placeOf(task)
  const violations = row.candidate === null ? await deps.worktrees.verify(place, task.head) : []
  if (violations.length > 0) {
    await putBack(
      work,
      { ...row, violations },
      'The step was undone: it had touched what the policy forbids.',
    )
    return
  }
  const made =
    row.candidate === null
      ? await deps.worktrees.candidate(place, task.head, commitMessage(task, row))
      : ({ kind: 'made', ...row.candidate } as const)
  if (made.kind === 'refused') {
    await putBack(
      work,
      { ...row, violations: made.violations },
      'The step was undone: it had touched what the policy forbids.',
    )
    return
  }
  const { kind: _, ...candidate } = made
  if (candidate.changed) await deps.worktrees.checkpoint(place, candidate.commit)
  const kept = closed({ ...row, candidate, commit: candidate.commit }, 'partial', deps.clock())
  const text = `Kept what step ${row.step} had done: ${candidateText(candidate)}`
  work.report(
    { type: 'salvaged', head: candidate.commit, text },
    { checkpoints: [kept], data: { commit: candidate.commit } },
  )
}

async function putBack(work: Work, row: Checkpoint, text: string): Promise<void> {
  const { deps, task } = work
  await deps.worktrees.restore(placeOf(task), task.head)
  work.report(
    { type: 'salvaged', head: task.head, text },
    { checkpoints: [closed(row, 'dropped', deps.clock())] },
  )
}
