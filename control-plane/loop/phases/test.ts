import type { Checkpoint } from '../../../src/domain/task.ts'
import { withEnded } from '../box-record.ts'
import { begin } from '../begin.ts'
import { attendBox } from '../box-run.ts'
import { testBox } from '../boxes.ts'
import { ended } from '../ended.ts'
import { failureOf, howOf } from '../said.ts'
import { testResultOf } from '../test-result.ts'
import { carriedOver, type Planned, planned, underWay } from '../under-way.ts'
import { needed, type Work } from '../work.ts'

/** Runs the test command on exactly the candidate, in a box whose writes are lost. */
export async function test(work: Work): Promise<void> {
  const { task } = work
  const row = planned(work, 'test')
  if (row !== null) {
    await run(work, row)
    return
  }
  const open = underWay(work)
  const reason = skipped(open, task.test)
  if (reason !== null) {
    work.report({ type: 'tested', text: reason, priorFailure: open.agent?.failure ?? null })
    return
  }
  const command = needed(task.test, task, 'a test command')
  const { commit } = needed(open.candidate, task, 'a candidate')
  await begin(work, open, () => testBox(task, 'test', command, commit))
}

async function run(work: Work, begun: Planned): Promise<void> {
  const result = await attendBox(work, begun)
  if (result === null) return
  const row = withEnded(work, begun, result)
  if (await ended(work, result, row, 'test', carriedOver(work, row))) return
  await work.deps.engine.remove(row.box.name)
  const outcome = testResultOf(result)
  const { passed, end, exitCode } = outcome
  work.report(
    {
      type: 'tested',
      text: passed ? 'The test passes.' : `The test fails (${howOf(result)}).`,
      priorFailure: passed ? null : failureOf(result),
    },
    {
      checkpoints: [{ ...row, test: outcome }],
      data: { passed, end, exitCode, truncated: result.truncated },
    },
  )
}

function skipped(row: Checkpoint, command: string | null): string | null {
  if (row.agent?.failure != null) return 'Not tested: the agent failed.'
  if (row.agent?.marker.state === 'BLOCKED') return 'Not tested: the agent is blocked.'
  return command === null ? 'Not tested: no test command was given.' : null
}
