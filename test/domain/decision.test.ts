import { describe, expect, it } from 'vitest'
import {
  type Choice,
  countedMisses,
  decisionId,
  missWait,
  nonceOf,
  parseDecisionId,
  termsOf,
} from '../../src/domain/decision.ts'
import { aTaskId, aTaskIdOf } from '../support/task.ts'

const choice: Choice = { surface: 's', taskId: aTaskId, action: 'approve', revision: 1, terms: null }

describe('B23 a nonce', () => {
  it('is eight characters of base64url, and always the same', () => {
    expect(nonceOf('k', choice)).toMatch(/^[\w-]{8}$/)
    expect(nonceOf('k', { ...choice })).toBe(nonceOf('k', choice))
  })

  it.each<[string, string, Partial<Choice>]>([
    ['key', 'another', {}],
    ['surface', 'k', { surface: 't' }],
    ['task', 'k', { taskId: aTaskIdOf(1) }],
    ['action', 'k', { action: 'reject' }],
    ['revision', 'k', { revision: 2 }],
  ])('is another for another %s', (_, key, different) => {
    expect(nonceOf(key, { ...choice, ...different })).not.toBe(nonceOf('k', choice))
  })
})

describe('the id of a button', () => {
  it('is read back as what it was made of', () => {
    const id = decisionId('k', choice)
    const read = { taskId: aTaskId, action: 'approve', nonce: nonceOf('k', choice) }
    expect(parseDecisionId(id)).toEqual({ ...read, terms: null })
    const shown = { ...choice, terms: '{"into":"main"}' }
    const more = decisionId('k', shown)
    expect(parseDecisionId(more)).toEqual({ ...read, terms: termsOf('k', shown) })
    // Discord takes 100 characters.
    expect(more.length).toBeLessThan(50)
  })

  it.each<[string, string, Partial<Choice>]>([
    ['key', 'another', {}],
    ['surface', 'k', { surface: 't' }],
    ['destination', 'k', { terms: '{"into":"next"}' }],
  ])('stands for other terms with another %s', (_, key, different) => {
    const shown = { ...choice, terms: '{"into":"main"}' }
    expect(termsOf(key, { ...shown, ...different })).not.toBe(termsOf('k', shown))
  })

  it.each([
    '',
    'tdec',
    `tdec:${aTaskId}:approve:`,
    `tdec:${aTaskId}:approve:1234567`,
    `tdec:${aTaskId}:approve:123456789`,
    `tdec:${aTaskId}:approve:1234+678`,
    `tdec:${aTaskId}:approve:12345678.12345`,
    `tdec:${aTaskId}:approve:12345678.`,
    `tdec:${aTaskId}:Approve:12345678`,
    `tdec:${aTaskId}::12345678`,
    `tdec:short:approve:12345678`,
    `xdec:${aTaskId}:approve:12345678`,
    `tdec:${aTaskId}:approve:12345678\n`,
    ` tdec:${aTaskId}:approve:12345678`,
  ])('is not %j', (text) => {
    expect(parseDecisionId(text)).toBeNull()
  })
})

describe('who pressed what is no button', () => {
  it.each<[string, readonly number[], number, number]>([
    ['never', [], 0, 0],
    ['four times', [1, 2, 3, 4], 5, 0],
    ['five times, waits until a minute after the first', [1, 2, 3, 4, 5], 5, 59_996],
    ['five times, may again then', [1, 2, 3, 4, 5], 60_001, 0],
    ['five times, waits a moment before', [1, 2, 3, 4, 5], 60_000, 1],
    ['six times, waits for the second', [1, 2, 3, 4, 5, 6], 6, 59_996],
  ])('%s', (_, times, now, wait) => {
    expect(missWait(times, now)).toBe(wait)
  })

  it('is remembered for a minute, and no more than counts', () => {
    expect(countedMisses([1, 2, 3, 4, 5, 6], 60_003)).toEqual([4, 5, 6])
    expect(countedMisses([1, 2, 3, 4, 5, 6], 10)).toEqual([2, 3, 4, 5, 6])
  })
})
