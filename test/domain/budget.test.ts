import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { boxSeconds, budgetParts, left, moreBudget, secondsOf, usedUp } from '../../src/domain/budget.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import { aBudget, aSpent } from '../support/task.ts'

test.each([
  [
    { tokens: 100, costUsd: 2 },
    { tokens: 30, costUsd: 0.5 },
    { tokens: 70, costUsd: 1.5 },
  ],
  [
    { tokens: 100, costUsd: 2 },
    { tokens: 130, costUsd: 2.5 },
    { tokens: 0, costUsd: 0 },
  ],
  [
    { tokens: null, costUsd: 2 },
    { tokens: 130, costUsd: 0 },
    { tokens: null, costUsd: 2 },
  ],
])('of %j, after %j, %j is left', (budget, spent, expected) => {
  expect(left({ budget: aBudget(budget), spent: aSpent(spent) })).toMatchObject(expected)
})

const policy = { ...defaultPolicy, limits: { ...defaultPolicy.limits, testSeconds: 100, setupSeconds: 200 } }
const task = (seconds: number, ms: number, steps = 0): Parameters<typeof boxSeconds>[0] => ({
  budget: aBudget({ steps: 8, seconds }),
  spent: aSpent({ steps, ms }),
  policy,
})

test.each([
  [task(60, 15_000, 3), { steps: 5, ms: 45_000, tokens: null, costUsd: null }],
  [task(60, 60_001, 8), { steps: 0, ms: 0, tokens: null, costUsd: null }],
  [task(60, 99_000, 9), { steps: 0, ms: 0, tokens: null, costUsd: null }],
])('what is left is never negative (%#)', (given, expected) => {
  expect(left(given)).toEqual(expected)
})

test.each([
  [20, 1200],
  [0.5, 30],
  [1.26, 76],
  [0.001, 1],
])('%d minutes are %d seconds', (minutes, seconds) => {
  expect(secondsOf(minutes)).toBe(seconds)
})

test.each([
  ['agent', task(1000, 0), 1000],
  ['agent', task(1000, 999_500), 1],
  ['agent', task(1000, 2_000_000), 1],
  ['test', task(1000, 0), 100],
  ['baseline', task(1000, 0), 100],
  ['test', task(1000, 950_000), 50],
  ['setup', task(1000, 0), 200],
  ['setup', task(150, 0), 150],
] as const)(
  'a box of kind %s gets the smaller of its limit and what is left (%#)',
  (kind, given, seconds) => {
    expect(boxSeconds(given, kind)).toBe(seconds)
  },
)

test.each([
  ['steps', { budget: { steps: 8 }, spent: { steps: 8 } }, { option: 'steps', amount: 12 }],
  ['steps', { budget: { steps: 2 }, spent: { steps: 9 } }, { option: 'steps', amount: 13 }],
  ['time', { budget: { seconds: 1200 }, spent: { ms: 1_200_500 } }, { option: 'minutes', amount: 31 }],
  ['time', { budget: { seconds: 90 }, spent: { ms: 0 } }, { option: 'minutes', amount: 12 }],
  ['tokens', { budget: { tokens: 1000 }, spent: { tokens: 1300 } }, { option: 'tokens', amount: 2600 }],
  ['cost', { budget: { costUsd: 0.1 }, spent: { costUsd: 0.1234 } }, { option: 'cost', amount: 0.25 }],
  ['cost', { budget: { costUsd: 3 }, spent: { costUsd: 2.5 } }, { option: 'cost', amount: 6 }],
] as const)('to go on when the %s of %j are used up: %j', (part, { budget, spent }, more) => {
  const given = { budget: aBudget(budget), spent: aSpent(spent) }
  expect(moreBudget(given, part)).toEqual(more)
  expect(
    usedUp(left({ ...given, budget: { ...given.budget, ...budgetParts({ [more.option]: more.amount }) } })),
  ).toBeNull()
})

test('a box has always at least a second, and whole ones', () => {
  fc.assert(
    fc.property(
      fc.nat(100_000),
      fc.nat(),
      fc.constantFrom('setup', 'baseline', 'agent', 'test'),
      (seconds, ms, kind) => {
        const given = boxSeconds(task(seconds, ms), kind)
        expect(given).toBeGreaterThanOrEqual(1)
        expect(Number.isInteger(given)).toBe(true)
      },
    ),
  )
})
