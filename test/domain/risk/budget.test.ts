import { describe, expect, test } from 'vitest'
import { largerBudget } from '../../../src/domain/risk/budget.ts'
import { aBudget } from '../../support/task.ts'

const unlimited = { tokens: null, costUsd: null }

describe('B03 a budget that a resume makes larger', () => {
  test.each([
    [
      aBudget({ steps: 12, seconds: 1500 }),
      aBudget({ steps: 8, seconds: 1200 }),
      unlimited,
      ['steps', 'time'],
    ],
    [aBudget({ steps: 12, seconds: 1500 }), aBudget({ steps: 12, seconds: 1200 }), unlimited, ['time']],
    [aBudget({ steps: 13, seconds: 1500 }), aBudget({ steps: 12, seconds: 1500 }), unlimited, ['steps']],
    [aBudget({ steps: 10, seconds: 1500 }), aBudget({ steps: 12, seconds: 1800 }), unlimited, []],
    [aBudget({ steps: 8, seconds: 1200 }), aBudget({ steps: 2, seconds: 60 }), unlimited, []],
    [aBudget({ tokens: 20 }), aBudget({ tokens: 10 }), { tokens: 15, costUsd: null }, ['spending']],
    [aBudget({ tokens: 15 }), aBudget({ tokens: 10 }), { tokens: 15, costUsd: null }, []],
    [aBudget({ tokens: 20 }), aBudget({ tokens: 10 }), unlimited, []],
    [aBudget({ costUsd: null }), aBudget({ costUsd: 1 }), { tokens: null, costUsd: 1 }, ['spending']],
  ])('%j after %j, where %j is configured, says %j with it', (budget, before, spending, expected) => {
    expect(largerBudget(budget, before, spending).map(({ rule }) => rule)).toEqual(expected)
  })
})
