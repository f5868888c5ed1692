import { cannotStart } from '../../../src/domain/test-output.ts'
import { testBox } from '../boxes.ts'
import { runPreparation } from '../preparation.ts'
import { failureOf } from '../said.ts'
import { testResultOf } from '../test-result.ts'
import { needed, type Work } from '../work.ts'

/** Runs the test command once on the base: what cannot even start is for a person, what fails is told to the agent. */
export async function baseline(work: Work): Promise<void> {
  const { task } = work
  const ran = await runPreparation(work, 'baseline', () =>
    testBox(task, 'baseline', needed(task.test, task, 'a test command'), task.base.commit),
  )
  if (ran === null) return
  const { result, done } = ran
  const missing = cannotStart(result, task.setup !== null)
  if (missing !== null) {
    work.report({ type: 'halted', reason: 'setup', text: missing }, { checkpoints: [done] })
    return
  }
  const test = testResultOf(result)
  const facts = { baseline: test.passed ? '' : failureOf(result) }
  const text = test.passed ? 'On the base the test passes.' : 'On the base the test fails; the agent is told.'
  work.report(
    { type: 'advanced', phase: 'agent', text, facts },
    { checkpoints: [{ ...done, state: 'kept', test }] },
  )
}
