import { describe, expect, it } from 'vitest'
import { narrowerBudget, narrowerPolicy } from '../../src/domain/narrower.ts'
import type { Policy } from '../../src/domain/policy.ts'
import { aBudget, aPolicy } from '../support/task.ts'

const { limits } = aPolicy()

describe('of two policies', () => {
  it.each<[string, Partial<Policy>, Partial<Policy>, Partial<Policy>]>([
    [
      'what one hides is hidden',
      { deny: ['a'], readonly: ['b'] },
      { deny: ['c'], readonly: ['d'] },
      { deny: ['a', 'c'], readonly: ['b', 'd'] },
    ],
    [
      'what one alone opens is not open',
      { except: ['.env.ci', '.env.example'], egress: ['a.example.com'], upstreams: ['openai'] },
      { except: ['.env.example'], egress: ['b.example.com'], upstreams: ['openai', 'gemini'] },
      { except: ['.env.example'], egress: [], upstreams: ['openai'] },
    ],
    ['a list of what may be written holds', { allow: ['src/'] }, { allow: [] }, { allow: ['src/'] }],
    ['of two such lists what is in both', { allow: ['a', 'b'] }, { allow: ['b', 'c'] }, { allow: ['b'] }],
    ['and never all', { allow: ['a'] }, { allow: ['b'] }, { allow: ['b'] }],
    [
      'the stricter ending and the stronger walls',
      { onViolation: 'fail', posture: 'standard' },
      { onViolation: 'retry', posture: 'strong' },
      { onViolation: 'fail', posture: 'strong' },
    ],
    [
      'the lower limits, and more free disk',
      { limits: { ...limits, pids: 64, cpus: 4, diskFreeMb: 2048 } },
      { limits: { ...limits, pids: 128, cpus: 1 } },
      { limits: { ...limits, pids: 64, cpus: 1, diskFreeMb: 2048 } },
    ],
  ])('%s', (_, one, other, both) => {
    expect(narrowerPolicy(aPolicy(one), aPolicy(other))).toEqual(aPolicy(both))
  })

  it('one with itself is itself', () => {
    expect(narrowerPolicy(aPolicy(), aPolicy())).toEqual(aPolicy())
  })
})

it('of two budgets each part is the smaller, and no cap is none', () => {
  const one = aBudget({ steps: 1, seconds: 60, tokens: null, costUsd: 2 })
  const other = aBudget({ steps: 8, seconds: 30, tokens: 500, costUsd: null })
  expect(narrowerBudget(one, other)).toEqual({ steps: 1, seconds: 30, tokens: 500, costUsd: 2 })
  expect(narrowerBudget(aBudget(), aBudget())).toEqual(aBudget())
})
