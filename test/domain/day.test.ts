import { expect, it } from 'vitest'
import { everyDay, spanOf } from '../../src/domain/day.ts'

const at = Date.UTC(2026, 0, 31, 23, 30)

it.each([
  [0, ['2026-01-30', '2026-01-31'], Date.UTC(2026, 0, 30)],
  // It is the first of February there.
  [60, ['2026-01-31', '2026-02-01'], Date.UTC(2026, 0, 30, 23)],
  [-24 * 30, ['2026-01-30', '2026-01-31'], Date.UTC(2026, 0, 30, 12)],
])('the last two days by clocks %i minutes before UTC', (offset, days, since) => {
  const span = spanOf({ days: 2, offset }, at)
  expect(everyDay(span, new Map()).map(({ day }) => day)).toEqual(days)
  expect(span.since).toBe(since)
})

it('days of which nothing is known are there with nothing', () => {
  const span = spanOf({ days: 2, offset: 0 }, at)
  const sums = { tasks: 3, applied: 1, steps: 5, ms: 60_000, tokens: 10, costUsd: 0.5 }
  expect(everyDay(span, new Map([[span.last, sums]]))).toEqual([
    { day: '2026-01-30', tasks: 0, applied: 0, steps: 0, ms: 0, tokens: 0, costUsd: 0 },
    { day: '2026-01-31', ...sums },
  ])
})
