import { describe, expect, test } from 'vitest'
import { defaultBudget } from '../../../src/domain/budget.ts'
import { largerBudget } from '../../../src/domain/risk/budget.ts'
import { aBudget } from '../../support/task.ts'

const usual = defaultBudget

describe('B03 a budget that a resume makes larger', () => {
  test.each([
    [aBudget({ steps: 12, seconds: 1500 }), aBudget({ steps: 8, seconds: 1200 }), usual, ['steps', 'time']],
    [aBudget({ steps: 12, seconds: 1500 }), aBudget({ steps: 12, seconds: 1200 }), usual, ['time']],
    [aBudget({ steps: 13, seconds: 1500 }), aBudget({ steps: 12, seconds: 1500 }), usual, ['steps']],
    [aBudget({ steps: 10, seconds: 1500 }), aBudget({ steps: 12, seconds: 1800 }), usual, []],
    [aBudget({ steps: 8, seconds: 1200 }), aBudget({ steps: 2, seconds: 60 }), usual, []],
    [aBudget({ tokens: 20 }), aBudget({ tokens: 10 }), { ...usual, tokens: 15 }, ['spending']],
    [aBudget({ tokens: 15 }), aBudget({ tokens: 10 }), { ...usual, tokens: 15 }, []],
    [aBudget({ tokens: 20 }), aBudget({ tokens: 10 }), usual, []],
    [aBudget({ costUsd: null }), aBudget({ costUsd: 1 }), { ...usual, costUsd: 1 }, ['spending']],
    [aBudget({ steps: 40 }), aBudget({ steps: 8 }), { ...usual, steps: 40 }, []],
    [aBudget({ steps: 8 }), aBudget({ steps: 2 }), { ...usual, steps: 4 }, ['steps']],
  ])('%j after %j, where %j is configured, says %j with it', (budget, before, spending, expected) => {
    expect(largerBudget(budget, before, spending).map(({ rule }) => rule)).toEqual(expected)
  })
})
