import { cannotStart } from '../../../src/domain/test-output.ts'
import { shellBox } from '../boxes.ts'
import { runPreparation } from '../preparation.ts'
import { failureOf, tailOf } from '../said.ts'
import { needed, placeOf, type Work } from '../work.ts'

/** Runs the test command once on the base: what cannot even start is for a person, what fails is told to the agent. */
export async function baseline(work: Work): Promise<void> {
  const { deps, task } = work
  const ran = await runPreparation(work, 'baseline', async () => {
    const command = needed(task.test, task, 'a test command')
    return shellBox(command, task.base.commit, await deps.worktrees.setupFolders(placeOf(task)))
  })
  if (ran === null) return
  const { result, done } = ran
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
