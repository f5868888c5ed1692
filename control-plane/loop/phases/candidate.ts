import { fewOf } from '../../../src/domain/task.ts'
import type { Candidate } from '../../../src/domain/worktree.ts'
import { closed } from '../attempts.ts'
import { commitMessage } from '../commit-message.ts'
import { placeOf, type Work } from '../work.ts'
import { underWay } from './verify.ts'

/** Makes the commit that is to be tested, out of what the policy allows of the tree. */
export async function candidate(work: Work): Promise<void> {
  const { deps, task } = work
  const row = underWay(work)
  const made = await deps.worktrees.candidate(placeOf(task), task.head, commitMessage(task, row))
  if (made.kind === 'refused') {
    const checkpoints = [closed({ ...row, violations: made.violations }, 'dropped', deps.clock())]
    work.report(
      { type: 'violated', violations: made.violations },
      { checkpoints, data: { violations: made.violations } },
    )
    return
  }
  const { kind: _, ...kept } = made
  work.report(
    { type: 'candidate_made', text: candidateText(kept) },
    {
      checkpoints: [{ ...row, candidate: kept }],
      data: { commit: kept.commit, stat: kept.stat, leftOut: kept.leftOut },
    },
  )
}

export function candidateText(made: Candidate): string {
  const { files, insertions, deletions } = made.stat
  const what = made.changed
    ? `${files} ${files === 1 ? 'file' : 'files'} changed (+${insertions} −${deletions}).`
    : 'No file changed.'
  const leftOut =
    made.leftOut.length === 0
      ? ''
      : ` Left out: ${fewOf(made.leftOut.map(({ path, why }) => `${path} (${why})`))}.`
  return what + leftOut
}
