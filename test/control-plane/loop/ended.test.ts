import { expect, it } from 'vitest'
import { ended } from '../../../control-plane/loop/ended.ts'
import { aBox } from '../../support/box.ts'
import { aCheckpoint, aTime } from '../../support/task.ts'
import { openBoxWork } from './box-work.ts'

const result = {
  end: 'disk',
  exitCode: null,
  output: '',
  outputBytes: 0,
  truncated: false,
  startedAt: aTime,
  peaks: { memoryMb: null, pids: null, cpuMs: null },
  message: null,
} as const

it.each([
  ['not started', 0],
  ['ended', 1000],
])('a full disk: the box was %s where it ran for %i ms', async (became, ms) => {
  const { work, task } = openBoxWork()
  const row = { ...aCheckpoint({ taskId: work.task.id }), box: aBox() }
  expect(await ended(work, { ...result, endedAt: aTime + ms }, row, 'agent', [])).toBe(true)
  expect([task().status, task().halt]).toEqual([
    'BLOCKED',
    {
      reason: 'disk',
      text: `The disk of the data folder is nearly full, so the agent box was ${became}. Free some space, then resume.`,
    },
  ])
})
