import { createHash } from 'node:crypto'
import { fewOf, type Task } from '../../../src/domain/task.ts'
import { progressAfter, verdictOf } from '../../../src/domain/verdict.ts'
import { closed } from '../attempts.ts'
import { placeOf, type Work } from '../work.ts'
import { underWay } from './verify.ts'

/** Moves the task's branch to the candidate and decides what the step means. */
export async function checkpoint(work: Work): Promise<void> {
  const { deps, task } = work
  const row = underWay(work)
  const { agent, candidate } = row
  if (agent === null || candidate === null)
    throw new Error(`attempt ${task.id} s${row.step} has nothing to keep`)
  const place = placeOf(task)
  if (candidate.changed) await deps.worktrees.checkpoint(place, candidate.commit)
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
  const kept = closed({ ...row, commit: candidate.commit }, 'kept', deps.clock())
  work.report(
    {
      type: 'checkpointed',
      verdict,
      head: candidate.commit,
      progress: progressAfter(task.progress, signature),
    },
    {
      checkpoints: [kept],
      data: {
        commit: candidate.commit,
        verdict: verdict.kind,
        leftOut: fewOf(candidate.leftOut.map(({ path }) => path)),
      },
    },
  )
}

/** Same tree and same failure give the same signature; numbers are taken out, for times and counts vary. */
function signatureOf(tree: string, failure: Task['priorFailure']): string {
  const steady = (failure ?? '').replaceAll(/\d+(\.\d+)?/g, '#')
  return createHash('sha256').update(`${tree}\0${steady}`).digest('hex')
}
