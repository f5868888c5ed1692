import { expect, it } from 'vitest'
import { tryName } from '../../src/dashboard/task/try-name.ts'
import { aCheckpoint } from '../support/task.ts'

const test = { passed: true, end: 'exited', exitCode: 0, tail: '' } as const
const setup = aCheckpoint({ step: 0, startedAt: 1 })
const first = aCheckpoint({ step: 1, startedAt: 2, test })
const again = aCheckpoint({ step: 0, startedAt: 3, test: null })
const second = aCheckpoint({ step: 2, attempt: 2, startedAt: 4 })
const merged = aCheckpoint({ step: 0, attempt: 4, startedAt: 5, test })

it('each try has a name that says where it belongs', () => {
  const all = [setup, first, again, second, merged]
  expect(all.map((row) => tryName(row, all))).toEqual([
    'Before the first step',
    'Step 1',
    'Setup, once more',
    'Step 2, attempt 2',
    'Test of what is merged',
  ])
  const baseline = aCheckpoint({ step: 0, attempt: 2, startedAt: 2, test })
  expect(tryName(baseline, [setup, baseline])).toBe('Before the first step')
})
