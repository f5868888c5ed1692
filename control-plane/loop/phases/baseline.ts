import { cannotStart } from '../../../src/domain/test-output.ts'
import { closed, newAttempt } from '../attempts.ts'
import { runBox } from '../box-run.ts'
import { placeOf, type Work } from '../work.ts'
import { begin, planned, shell } from './begin.ts'
import { ended } from './ended.ts'
import { failureOf, tailOf } from './said.ts'

/** Runs the test command once on the base: what cannot even start is for a person, what fails is told to the agent. */
export async function baseline(work: Work): Promise<void> {
  const { deps, task } = work
  const row = planned(work, 'baseline')
  if (row === null) {
    const setupFolders = await deps.worktrees.setupFolders(placeOf(task))
    const wanted = {
      argv: shell(task.test ?? ''),
      env: {},
      commit: task.base.commit,
      listing: null,
      setupFolders,
    }
    await begin(work, newAttempt(deps.store, task, 0, deps.clock()), 'baseline', wanted)
    return
  }
  const result = await runBox(work, row)
  if (result === null) return
  const done = closed(row, 'dropped', deps.clock())
  if (await ended(work, result, done, 'test')) return
  await deps.engine.remove(row.box?.name ?? '')
  const missing = cannotStart(result, task.setup !== null)
  if (missing !== null) {
    work.report({ type: 'halted', reason: 'setup', text: missing }, { checkpoints: [done] })
    return
  }
  const passed = result.end === 'exited' && result.exitCode === 0
  const facts = { baseline: passed ? '' : failureOf(result) }
  const text = passed ? 'On the base the test passes.' : 'On the base the test fails; the agent is told.'
  const test = { passed, end: result.end, exitCode: result.exitCode, tail: tailOf(result.output) }
  work.report(
    { type: 'advanced', phase: 'agent', text, facts },
    { checkpoints: [{ ...done, state: 'kept', test }] },
  )
}
