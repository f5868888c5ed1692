import { testBox } from '../boxes.ts'
import { howOf, printedLast } from '../said.ts'
import { testResultOf } from '../test-result.ts'
import { needed, type Work } from '../work.ts'
import { runMergeBox } from './box.ts'
import { end } from './ending.ts'
import { madeOf, planOf } from './plan.ts'

/** Runs the task's test command on what is merged, in a box as it was tested in before. */
export async function mergeTest(work: Work): Promise<void> {
  const { task } = work
  const { into } = planOf(task)
  const ran = await runMergeBox(work, 'test', `The test starts, on ${into} with this work.`, () =>
    testBox(task, 'test', needed(task.test, task, 'a test command'), madeOf(task).commit),
  )
  if (ran === null) return
  const { result, done } = ran
  const test = testResultOf(result)
  const checkpoints = [{ ...done, state: 'kept', test } as const]
  const { passed, end: how, exitCode } = test
  const data = { passed, end: how, exitCode, truncated: result.truncated }
  if (passed) {
    const text = `The test passes on ${into} with this work.`
    work.report({ type: 'merge_advanced', phase: 'merge_move', text }, { checkpoints, data })
    return
  }
  const text = `Not merged: the test fails on ${into} with this work (${howOf(result)}). ${printedLast(result.output)}`
  end(work, { type: 'merge_refused', why: 'test', text }, { checkpoints, data })
}
