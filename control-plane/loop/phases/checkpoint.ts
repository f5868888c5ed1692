import { sha256 } from '../../../src/domain/canonical-json.ts'
import type { Task } from '../../../src/domain/task.ts'
import { fewOf } from '../../../src/domain/text.ts'
import { progressAfter, verdictOf } from '../../../src/domain/verdict.ts'
import { attestedOnBranch } from '../attested.ts'
import { closed } from '../attempts.ts'
import { marksOf } from '../marks.ts'
import { underWay } from '../under-way.ts'
import { needed, placeOf, type Work } from '../work.ts'

/** Attests the step, moves the task's branch to the candidate, and decides what the step means and what wants an owner. */
export async function checkpoint(work: Work): Promise<void> {
  const { deps, task } = work
  const row = underWay(work)
  const agent = needed(row.agent, task, "an agent's result")
  const candidate = needed(row.candidate, task, 'a candidate')
  const place = placeOf(task)
  // Over when its test was: a time that is on record, so that a repeat attests the same.
  const over = closed({ ...row, candidate }, 'kept', task.updatedAt)
  const signature = signatureOf(candidate.tree, task.priorFailure)
  const setupChanged =
    task.setup !== null && (await deps.worktrees.setupKey(place, candidate.commit)) !== task.setupKey
  const verdict = verdictOf(task, {
    agent,
    test: row.test,
    changedSinceBase: candidate.commit !== task.base.commit,
    signature,
    setupChanged,
  })
  const [{ row: kept, attestation }, marks] = await Promise.all([
    attestedOnBranch(work, over),
    verdict.kind === 'apply' ? marksOf(work, candidate.commit) : null,
  ])
  const head = needed(kept.commit, task, 'a commit')
  work.report(
    {
      type: 'checkpointed',
      verdict,
      head,
      progress: progressAfter(task.progress, signature),
      marks,
    },
    {
      checkpoints: [kept],
      attestation,
      data: {
        commit: head,
        verdict: verdict.kind,
        ...(marks === null ? {} : { marks }),
        leftOut: fewOf(candidate.leftOut.map(({ path }) => path)),
      },
    },
  )
}

/** Same tree and same failure give the same signature; numbers are taken out, for times and counts vary. */
function signatureOf(tree: string, failure: Task['priorFailure']): string {
  const steady = (failure ?? '').replaceAll(/\d+(\.\d+)?/g, '#')
  return sha256(`${tree}\0${steady}`)
}
