import { merge } from './deliver/merge.ts'
import { mergeMove, undoMove } from './deliver/move.ts'
import { pullOpen, push } from './deliver/pull.ts'
import { mergeSetup } from './deliver/merge-setup.ts'
import { mergeTest } from './deliver/merge-test.ts'
import { agent } from './phases/agent.ts'
import { baseline } from './phases/baseline.ts'
import { candidate } from './phases/candidate.ts'
import { checkpoint } from './phases/checkpoint.ts'
import { handover } from './phases/handover.ts'
import { prepare } from './phases/prepare.ts'
import { salvage } from './phases/salvage.ts'
import { setup } from './phases/setup.ts'
import { test } from './phases/test.ts'
import { verify } from './phases/verify.ts'
import type { Work } from './work.ts'

/**
 * The story of a task: one turn does the effect of the phase that the task is in, records what came of it, and returns.
 * A crash at any point means: recover, claim, and call it again.
 */
export async function tick(work: Work): Promise<void> {
  switch (work.task.phase) {
    case 'prepare':
      await prepare(work)
      return
    case 'setup':
      await setup(work)
      return
    case 'baseline':
      await baseline(work)
      return
    case 'agent':
      await agent(work)
      return
    case 'verify':
      await verify(work)
      return
    case 'candidate':
      await candidate(work)
      return
    case 'test':
      await test(work)
      return
    case 'checkpoint':
      await checkpoint(work)
      return
    case 'handover':
      await handover(work)
      return
    case 'salvage':
      await salvage(work)
      return
    case 'merge':
      await merge(work)
      return
    case 'merge_setup':
      await mergeSetup(work)
      return
    case 'merge_test':
      await mergeTest(work)
      return
    case 'merge_move':
      await mergeMove(work)
      return
    case 'undo':
      await undoMove(work)
      return
    case 'push':
      await push(work)
      return
    case 'pull_open':
      await pullOpen(work)
      return
    case 'postponed':
    case null:
      throw new Error(`task ${work.task.id} is ${work.task.status} with nothing to do (${work.task.phase})`)
  }
}
