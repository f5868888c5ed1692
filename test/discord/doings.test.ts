import { expect, it } from 'vitest'
import { Doings } from '../../src/discord/doings.ts'
import type { AgentProgress } from '../../src/domain/agent.ts'
import { aTaskIdOf } from '../support/task.ts'

const id = aTaskIdOf(1)
const at = { id, phase: 'agent', step: 1, attempt: 1 } as const
const writes = (...paths: readonly string[]): AgentProgress => ({
  kind: 'tool',
  tool: 'write',
  text: paths.join(' '),
  paths,
})

function atWork(): Doings {
  const doings = new Doings()
  doings.changed(at)
  return doings
}

it('what an agent does is the last of it, and each file once, the newest last', () => {
  const doings = atWork()
  doings.add(id, [{ kind: 'said', text: 'First.' }, writes('a', 'b'), writes('c', 'a')])
  expect(doings.of(id)).toEqual({ last: '» write c a', paths: ['b', 'c', 'a'] })
  doings.add(id, [{ kind: 'said', text: 'Now this.' }])
  expect(doings.of(id)).toEqual({ last: 'Now this.', paths: ['b', 'c', 'a'] })
})

it('what a model has cost is something new, and says nothing of what is done', () => {
  const doings = atWork()
  doings.add(id, [{ kind: 'said', text: 'First.' }])
  const before = doings.of(id)
  doings.add(id, [{ kind: 'spent', tokens: 1, costUsd: 0 }])
  expect(doings.of(id)).toEqual(before)
  expect(doings.of(id)).not.toBe(before)
})

it('is bounded, whatever an agent prints', () => {
  const doings = atWork()
  const many = Array.from({ length: 500 }, (_, n) => writes(`${n}${'x'.repeat(9000)}`))
  doings.add(id, [...many, { kind: 'said', text: 'y'.repeat(100_000) }])
  const { last = '', paths = [] } = doings.of(id) ?? {}
  expect([last.length, paths.length, paths[0]?.length]).toEqual([2000, 100, 2000])
})

it.each([
  ['another attempt', { ...at, attempt: 2 }],
  ['another step', { ...at, step: 2 }],
  ['another phase', { ...at, phase: 'verify' as const }],
  ['none', { ...at, phase: null }],
])('of an earlier attempt is over with %s', (_, next) => {
  const doings = atWork()
  doings.add(id, [writes('a')])
  doings.changed(at)
  expect(doings.of(id)).not.toBeNull()
  doings.changed(next)
  expect(doings.of(id)).toBeNull()
  doings.changed(at)
  expect(doings.of(id)).toBeNull()
})

it('of a task whose agent is not at work is nothing', () => {
  const doings = new Doings()
  doings.add(id, [writes('a')])
  expect(doings.of(id)).toBeNull()
})
