import type { Checkpoint } from '../../../src/domain/task.ts'
import type { CandidateResult } from '../../../src/domain/worktree.ts'
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
    await putBack(work, row, 'Setup or the first test was broken off; it starts again on resume.')
    return
  }
  const made = await candidateOf(work, row)
  if (made.kind === 'refused') {
    const text = 'The step was undone: it had touched what the policy forbids.'
    await putBack(work, { ...row, violations: made.violations }, text)
    return
  }
  const { kind: _, ...candidate } = made
  if (candidate.changed) await deps.worktrees.checkpoint(placeOf(task), candidate.commit)
  const kept = closed({ ...row, candidate, commit: candidate.commit }, 'partial', deps.clock())
  const text = `Kept what step ${row.step} had done: ${candidateText(candidate)}`
  work.report(
    { type: 'salvaged', head: candidate.commit, text },
    { checkpoints: [kept], data: { commit: candidate.commit } },
  )
}

/** What the policy allows of the tree as a commit: the one that was made already, or one that passes both gates. */
async function candidateOf({ deps, task }: Work, row: Checkpoint): Promise<CandidateResult> {
  if (row.candidate !== null) return { kind: 'made', ...row.candidate }
  const place = placeOf(task)
  const violations = await deps.worktrees.verify(place, task.head)
  if (violations.length > 0) return { kind: 'refused', violations }
  return await deps.worktrees.candidate(place, task.head, commitMessage(task, row))
}

async function putBack(work: Work, row: Checkpoint, text: string): Promise<void> {
  const { deps, task } = work
  await deps.worktrees.restore(placeOf(task), task.head)
  work.report(
    { type: 'salvaged', head: task.head, text },
    { checkpoints: [closed(row, 'dropped', deps.clock())] },
  )
}
