import { describe, expect, it } from 'vitest'
import {
  agentNow,
  keptConversation,
  conversationNow,
  keptName,
  lastAgent,
  providerPause,
} from '../../../control-plane/loop/agent-now.ts'
import type { AgentErrorKind, AgentResult } from '../../../src/domain/agent.ts'
import type { Checkpoint } from '../../../src/domain/task.ts'
import { aCheckpoint } from '../../support/task.ts'

const result = (some: Partial<AgentResult>): AgentResult => ({
  marker: { state: 'NONE' },
  text: '',
  exitCode: 1,
  session: null,
  usage: null,
  failure: some.error === undefined ? null : 'It failed.',
  ...some,
})
const failed = (error: AgentErrorKind): Checkpoint =>
  aCheckpoint({ state: 'dropped', agent: result({ error }) })

describe('who makes the next attempt', () => {
  const choice = { name: 'a', argv: [], fallback: ['b', 'c'] }
  it.each<[readonly AgentErrorKind[], string, number]>([
    [[], 'a', 0],
    [['rate_limit'], 'a', 0],
    [['rate_limit', 'overload'], 'b', 0],
    [['rate_limit', 'crash', 'overload'], 'a', 0],
    [['auth'], 'b', 0],
    [['auth', 'auth'], 'c', 0],
    [['auth', 'overload', 'overload', 'auth'], 'a', 1],
    [['session', 'context', 'turns'], 'a', 0],
  ])('after %j is %s', (errors, name, round) => {
    expect(agentNow(choice, errors.map(failed))).toEqual({ name, round })
  })

  it('is the one that a person named, whatever happens', () => {
    const forced = { name: 'a', argv: [] }
    expect(agentNow(forced, (['auth', 'auth', 'overload', 'overload'] as const).map(failed)).name).toBe('a')
  })

  it('is the first one again after a halt', () => {
    const rows = [failed('auth'), aCheckpoint({ state: 'partial', agent: null })]
    expect(agentNow(choice, rows)).toEqual({ name: 'a', round: 0 })
  })

  it('is whoever made the step before', () => {
    expect(agentNow(choice, [], 'b')).toEqual({ name: 'b', round: 0 })
    expect(agentNow(choice, [failed('auth')], 'c')).toEqual({ name: 'a', round: 1 })
    expect(agentNow(choice, [], 'somebody else').name).toBe('a')
  })

  it('is not led on by an attempt whose agent was never read', () => {
    expect(agentNow(choice, [aCheckpoint({ state: 'dropped', agent: null })]).name).toBe('a')
  })
})

describe('the conversation that goes on', () => {
  const kept = (step: number, session: string | null, by = 'a'): Checkpoint =>
    aCheckpoint({ step, attempt: 2, state: 'kept', agent: result({ session, by }) })

  it('is that of the last step whose work was kept', () => {
    expect(keptConversation('a', [kept(1, 'one'), kept(2, 'two')])).toEqual({ id: 'two', keptAs: 's2-a2' })
    expect(keptName(kept(2, 'two'))).toBe('s2-a2')
  })

  it.each<[string, readonly Checkpoint[]]>([
    ['there was no step', []],
    ['it had none', [kept(1, null)]],
    ['it is of another agent', [kept(1, 'one', 'b')]],
    ['another agent worked since', [kept(1, 'one'), kept(2, 'two', 'b')]],
    ['it grew too long', [kept(1, 'one'), failed('context')]],
    ['its program did not find it', [kept(1, 'one'), failed('session')]],
    [
      'what it led to was undone',
      [aCheckpoint({ state: 'dropped', agent: result({ session: 's', by: 'a' }) })],
    ],
  ])('is none where %s', (_, rows) => {
    expect(keptConversation('a', rows)).toBeNull()
  })

  it('is still that of the last step after an attempt that failed for another reason', () => {
    expect(keptConversation('a', [kept(1, 'one'), failed('overload')])?.id).toBe('one')
  })
})

it('waits longer with every loss, a bounded time', () => {
  const pauses = [0, 1, 2, 3, 9].map(providerPause)
  expect(pauses).toEqual(pauses.toSorted((a, b) => a - b))
  expect(pauses.at(-1)).toBe(900_000)
})

it('who made the last step is known of steps before alone, and of those whose work was kept', () => {
  const row = (step: number, state: Checkpoint['state'], by: string): Checkpoint =>
    aCheckpoint({ step, state, agent: result({ by }) })
  expect(lastAgent([], 1)).toBeNull()
  expect(lastAgent([row(1, 'kept', 'b'), row(2, 'dropped', 'c')], 2)).toBe('b')
  expect(lastAgent([row(1, 'kept', 'b'), row(2, 'kept', 'c')], 2)).toBe('b')
})

describe('the conversation that a question goes on with', () => {
  const kept = (session: string, step = 1): Checkpoint =>
    aCheckpoint({ state: 'kept', step, agent: result({ session, by: 'a' }) })
  const parent = [kept('of the parent')]

  it.each<[string, readonly Checkpoint[], string | null, boolean]>([
    ['nothing yet', [], 'of the parent', true],
    ['a lost attempt', [failed('overload')], 'of the parent', true],
    ['an answer of its own', [kept('its own')], 'its own', false],
    ['a conversation that was too long', [failed('context')], null, false],
    ['a conversation that is gone', [failed('session')], null, false],
  ])('with %s is found', (_, own, id, inherited) => {
    const found = conversationNow('a', own, parent)
    expect(found).toEqual(id === null ? null : { id, keptAs: 's1-a1', inherited })
  })

  it('is none of another agent', () => {
    expect(conversationNow('b', [], parent)).toBeNull()
  })
})
