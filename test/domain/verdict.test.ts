import { describe, expect, it } from 'vitest'
import type { AgentResult, Marker } from '../../src/domain/agent.ts'
import type { Task, TestResult } from '../../src/domain/task.ts'
import { progressAfter, type StepFacts, verdictOf } from '../../src/domain/verdict.ts'
import { aSpent, aTask } from '../support/task.ts'

const agent = (marker: Marker, failure: string | null = null): AgentResult => ({
  marker,
  text: '',
  exitCode: 0,
  session: null,
  usage: null,
  failure,
})
const done = agent({ state: 'DONE' })
const passes: TestResult = { passed: true, end: 'exited', exitCode: 0, tail: '' }
const fails: TestResult = { passed: false, end: 'exited', exitCode: 1, tail: 'x' }
const facts = (some: Partial<StepFacts>): StepFacts => ({
  agent: done,
  test: passes,
  changedSinceBase: true,
  signature: 's',
  setupChanged: false,
  ...some,
})

const rows: readonly [string, Partial<StepFacts>, Partial<Task>, string][] = [
  ['done, tests pass', {}, {}, 'apply'],
  ['done on the last step', {}, { spent: aSpent({ steps: 7, ms: 0 }) }, 'apply'],
  ['B18 done, but tests fail', { test: fails }, {}, 'next'],
  [
    'B18 done, but tests fail, on the last step',
    { test: fails },
    { spent: aSpent({ steps: 7, ms: 0 }) },
    'steps',
  ],
  ['done, no test', { test: null }, {}, 'apply'],
  ['done, no test, nothing changed', { test: null, changedSinceBase: false }, {}, 'no_change'],
  ['done, tests pass, nothing changed', { changedSinceBase: false }, {}, 'apply'],
  ['continue, although tests pass', { agent: agent({ state: 'CONTINUE' }) }, {}, 'next'],
  ['B05 no marker', { agent: agent({ state: 'NONE' }) }, {}, 'next'],
  [
    'a failed agent, whatever it says',
    { agent: agent({ state: 'DONE' }, 'exit code 3'), test: null },
    {},
    'next',
  ],
  ['blocked', { agent: agent({ state: 'BLOCKED', blockReason: 'no key' }), test: null }, {}, 'agent_blocked'],
  [
    'blocked on the last step',
    { agent: agent({ state: 'BLOCKED', blockReason: 'no key' }) },
    { spent: aSpent({ steps: 7, ms: 0 }) },
    'agent_blocked',
  ],
  ['dependencies changed, tests fail', { test: fails, setupChanged: true }, {}, 'setup_changed'],
  ['dependencies changed, done, tests pass', { setupChanged: true }, {}, 'apply'],
  ['the same for the second time', { test: fails }, { progress: { signature: 's', repeats: 1 } }, 'next'],
  ['the same for the third time', { test: fails }, { progress: { signature: 's', repeats: 2 } }, 'stuck'],
  [
    'another failure after two equal ones',
    { test: fails },
    { progress: { signature: 'r', repeats: 2 } },
    'next',
  ],
]

describe('the verdict on a step', () => {
  it.each(rows)('%s', (_, some, task, kind) => {
    expect(verdictOf(aTask(task), facts(some)).kind).toBe(kind)
  })

  it('says whether the applied work is tested', () => {
    expect(verdictOf(aTask(), facts({}))).toEqual({ kind: 'apply', outcome: 'tested' })
    expect(verdictOf(aTask(), facts({ test: null }))).toEqual({ kind: 'apply', outcome: 'untested' })
  })

  it('counts equal steps in a row', () => {
    const one = progressAfter({ signature: '', repeats: 0 }, 'a')
    expect(one).toEqual({ signature: 'a', repeats: 1 })
    expect(progressAfter(one, 'a').repeats).toBe(2)
    expect(progressAfter(one, 'b').repeats).toBe(1)
  })
})
