import { describe, expect, it } from 'vitest'
import {
  clockSeen,
  dueOf,
  isSteady,
  leftovers,
  type Leftover,
  type Retention,
} from '../../src/domain/retention.ts'
import { deliveries, statuses, type Task } from '../../src/domain/task.ts'
import { aTask, aTime } from '../support/task.ts'

const day = 86_400_000
const keep: Retention = { worktrees: 7, output: 30, undelivered: null, audit: null }
const told: Retention = { ...keep, undelivered: 90 }
const both: readonly Leftover[] = leftovers

/** What is due of a task that has not changed for so many days. */
function due(
  task: Partial<Task>,
  days: number,
  retention: Retention,
  has: readonly Leftover[] = both,
): readonly string[] {
  const found = dueOf(aTask({ ...task, updatedAt: aTime }), new Set(has), retention, aTime + days * day)
  return found.map((each) => (each.kind === 'discard' ? 'discard' : each.what))
}

type Row = readonly [Partial<Task>, days: number, Retention, readonly string[]]
const rows: readonly Row[] = [
  [{ status: 'APPLIED' }, 6.99, keep, []],
  [{ status: 'APPLIED' }, 7, keep, ['worktree']],
  [{ status: 'APPLIED' }, 30, keep, ['worktree', 'output']],
  [{ status: 'APPLIED', delivery: 'merged' }, 30, keep, ['worktree', 'output']],
  [{ status: 'APPLIED', delivery: 'delivering' }, 999, told, []],
  [{ status: 'APPLIED', delivery: 'conflict' }, 999, told, []],
  [{ status: 'APPLIED' }, 999, { ...keep, worktrees: null, undelivered: 1 }, ['output']],
  [{ status: 'APPLIED' }, 999, { ...keep, output: null, undelivered: 1 }, ['worktree']],
  [{ status: 'APPLIED', delivery: 'discarded' }, 29, keep, []],
  [{ status: 'STOPPED', delivery: 'discarded' }, 30, told, ['output']],
  [{ status: 'STOPPED', delivery: 'discarded' }, 999, told, ['output']],
  [{ status: 'BLOCKED' }, 9999, keep, []],
  [{ status: 'BLOCKED' }, 89, told, []],
  [{ status: 'BLOCKED' }, 90, told, ['discard']],
  [{ status: 'FAILED' }, 90, told, ['discard']],
  [{ status: 'TIMEOUT' }, 90, told, ['discard']],
  [{ status: 'STOPPED' }, 90, told, ['discard']],
  [{ status: 'REJECTED' }, 90, told, ['discard']],
  [{ status: 'STOPPED', phase: 'postponed' }, 90, keep, []],
  [{ status: 'STOPPED', phase: 'postponed' }, 90, told, ['discard']],
  [{ status: 'STOPPED', phase: 'salvage' }, 999, told, []],
  [{ status: 'DRAFT' }, 999, told, []],
  [{ status: 'PENDING' }, 999, told, []],
  [{ status: 'RUNNING', phase: 'agent' }, 999, told, []],
  [{ status: 'VALIDATING', phase: 'test' }, 999, told, []],
]

describe('what is due of a task', () => {
  it.each(rows)('%j after %s days with %j: %j', (task, days, retention, expected) => {
    expect(due(task, days, retention)).toEqual(expected)
  })

  it('is nothing where nothing is left', () => {
    for (const status of statuses) expect(due({ status }, 9999, told, [])).toEqual([])
    expect(due({ status: 'APPLIED' }, 9999, told, ['output'])).toEqual(['output'])
  })

  it('is never undelivered work, in no state, unless the configuration says so', () => {
    const states = statuses.flatMap((status) =>
      deliveries.flatMap((delivery) =>
        ([null, 'salvage', 'postponed', 'agent'] as const).map((phase) => ({ status, delivery, phase })),
      ),
    )
    for (const state of states) {
      const found = due(state, 99_999, keep)
      expect(found).not.toContain('discard')
      if (found.includes('worktree')) expect(state.status).toBe('APPLIED')
    }
  })

  it('says which setting removes it, and when', () => {
    const texts = (task: Partial<Task>): readonly string[] =>
      dueOf(aTask({ ...task, updatedAt: 0 }), new Set(both), { ...told, worktrees: 1 }, 999 * day).map(
        ({ text }) => text,
      )
    expect(texts({ status: 'APPLIED' })).toEqual([
      'The worktree is removed after 1 day (keep.worktrees); the commits and the branch stay.',
      'What its boxes printed is removed after 30 days (keep.output).',
    ])
    expect(texts({ status: 'FAILED' })[0]).toMatch(/^Discarded: nothing .* 90 days, and keep\.undelivered/)
  })
})

it.each<[string, Parameters<typeof clockSeen>, boolean]>([
  ['was never looked at', [null, aTime, 0], false],
  ['has gone on', [{ at: aTime, steadyMs: day }, aTime + 1, 1], true],
  ['was not looked at for a night', [{ at: aTime, steadyMs: day }, aTime + day, 0], true],
  ['has leapt', [{ at: aTime, steadyMs: day }, aTime + day + 1, 0], false],
  ['has leapt while the process ran', [{ at: aTime, steadyMs: day }, aTime + 3 * day, day], false],
  ['was put back', [{ at: aTime, steadyMs: day }, aTime - 99 * day, 0], true],
  ['was run with for a day', [{ at: aTime, steadyMs: day - 5 }, aTime + 5, 5], true],
  ['was run with for less', [{ at: aTime, steadyMs: day - 5 }, aTime + 4, 4], false],
])('a clock that %s', (_what, [before, now, ranMs], steady) => {
  expect(isSteady(clockSeen(before, now, ranMs))).toBe(steady)
})
