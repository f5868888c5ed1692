import { closed, newAttempt } from '../attempts.ts'
import { runBox } from '../box-run.ts'
import { placeOf, type Work } from '../work.ts'
import { begin, planned, shell } from './begin.ts'
import { ended } from './ended.ts'
import { lastLines } from './said.ts'
import { afterPreparation } from './prepare.ts'
import { fewOf } from '../../../src/domain/task.ts'

/** Runs the setup command once, in a box with a network, and keeps what it left in ignored folders. */
export async function setup(work: Work): Promise<void> {
  const { deps, task } = work
  const row = planned(work, 'setup')
  if (row === null) {
    const wanted = {
      argv: shell(task.setup ?? ''),
      env: {},
      commit: task.head,
      listing: null,
      setupFolders: [],
    }
    await begin(work, newAttempt(deps.store, task, 0, deps.clock()), 'setup', wanted)
    return
  }
  const result = await runBox(work, row)
  if (result === null) return
  const done = closed(row, 'dropped', deps.clock())
  if (await ended(work, result, done, 'setup')) return
  await deps.engine.remove(row.box?.name ?? '')
  if (result.end !== 'exited' || result.exitCode !== 0) {
    const text = `Setup failed (${result.message ?? `exit code ${result.exitCode}`}). Mend the setup command or the base and resume. It printed last: ${lastLines(result.output)}`
    work.report({ type: 'halted', reason: 'setup', text }, { checkpoints: [done] })
    return
  }
  const place = placeOf(task)
  const setupKey = await deps.worktrees.setupKey(place, task.head)
  const left = await deps.worktrees.keepSetup(place, setupKey)
  const dropped =
    left.dropped.length === 0 ? '' : ` Not kept, because git does not ignore it: ${fewOf(left.dropped)}.`
  const text = `Setup done; kept ${left.kept.length === 0 ? 'nothing' : fewOf(left.kept)}.${dropped}`
  const phase = afterPreparation({ ...task, setupKey })
  work.report(
    { type: 'advanced', phase, text, facts: { setupKey } },
    { checkpoints: [{ ...done, state: 'kept' }], data: left },
  )
}
