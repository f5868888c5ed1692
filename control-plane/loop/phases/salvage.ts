import { checkpointMessage } from '../../../src/domain/delivery/message.ts'
import { type Checkpoint, isWorking } from '../../../src/domain/task.ts'
import type { CandidateResult } from '../../../src/domain/worktree.ts'
import { attested, attestedOnBranch } from '../attested.ts'
import { closed } from '../attempts.ts'
import { withKilled } from '../box-record.ts'
import { candidateText } from '../said.ts'
import { changesOf } from '../violation.ts'
import { placeOf, type Work } from '../work.ts'

/**
 * After a halt in the middle of a step: the box goes, and what the policy allows of the tree is kept as a partial
 * checkpoint for a later resume. After a violation, whose attempt is over, the tree goes back to the last checkpoint. Where
 * a resume has come before, a step whose agent had ended goes on as if there had been no halt.
 */
export async function salvage(work: Work): Promise<void> {
  const { deps, task } = work
  const open = deps.store.openCheckpoint(task.id)
  if (open === null) {
    await deps.worktrees.restore(placeOf(task), task.head)
    work.report({ type: 'salvaged', head: task.head, text: 'The worktree is back at the last checkpoint.' })
    return
  }
  if (isWorking(task) && open.agent !== null && open.violations.length === 0) {
    work.report({
      type: 'advanced',
      phase: 'prepare',
      text: `Step ${open.step} is still as its agent left it.`,
    })
    return
  }
  if (open.box !== null) await deps.engine.remove(open.box.name)
  const row = withKilled(work, open)
  if (row.step === 0) {
    await putBack(work, row, 'Setup or the first test was broken off; it starts again on resume.')
    return
  }
  if (task.kind === 'question') {
    const violations = await changesOf(work)
    await putBack(work, { ...row, violations }, 'The question was broken off; a resume asks it again.')
    return
  }
  const made = await candidateOf(work, row)
  if (made.kind === 'refused') {
    const text = 'The step was undone: it had touched what the policy forbids.'
    await putBack(work, { ...row, violations: made.violations }, text)
    return
  }
  const { kind: _, ...candidate } = made
  // Over when the halt was recorded: a repeat attests the same.
  const over = closed(row, 'partial', task.updatedAt)
  const { row: kept, attestation } = await attestedOnBranch(work, { ...over, candidate })
  const text = `Kept what step ${row.step} had done: ${candidateText(candidate)}`
  work.report(
    { type: 'salvaged', head: kept.commit ?? task.head, text },
    { checkpoints: [kept], attestation, data: { commit: kept.commit } },
  )
}

/** What the policy allows of the tree as a commit: the one that was made already, or one that passes both gates. */
async function candidateOf({ deps, task, signal }: Work, row: Checkpoint): Promise<CandidateResult> {
  if (row.candidate !== null) return { kind: 'made', ...row.candidate }
  const place = placeOf(task)
  const violations = await deps.worktrees.verify(place, task.head, signal)
  if (violations.length > 0) return { kind: 'refused', violations }
  const message = checkpointMessage(task, row, (text) => deps.secrets.redact(text))
  return await deps.worktrees.candidate(place, task.head, message, signal)
}

async function putBack(work: Work, row: Checkpoint, text: string): Promise<void> {
  const { deps, task } = work
  await deps.worktrees.restore(placeOf(task), task.head)
  const dropped = closed(row, 'dropped', deps.clock())
  // Without a violation there was no result that could be attested.
  const along = row.violations.length > 0 ? { attestation: attested(work, dropped).attestation } : {}
  work.report({ type: 'salvaged', head: task.head, text }, { checkpoints: [dropped], ...along })
}
