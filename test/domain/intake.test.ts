import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseTaskRequest, type TaskRequest } from '../../src/domain/intake.ts'

const good = { goal: 'Fix the bug', repository: '/home/me/project' }
function parse(some: Record<string, unknown>): TaskRequest {
  const parsed = parseTaskRequest({ ...good, ...some })
  if (!parsed.ok) throw new Error(parsed.problems.join(' '))
  return parsed.request
}
function problems(input: unknown): readonly string[] {
  const parsed = parseTaskRequest(input)
  return parsed.ok ? [] : parsed.problems
}

test('a goal and a repository are enough', () => {
  expect(parse({})).toEqual({
    goal: 'Fix the bug',
    repository: '/home/me/project',
    ref: null,
    agent: null,
    budget: {},
    draft: false,
    policy: null,
  })
})

test('all of it', () => {
  const request = parse({
    ref: 'release/1.x',
    agent: { name: 'command', argv: ['sh', '-c', 'true'] },
    setup: ' npm ci ',
    test: '',
    budget: { steps: 3, minutes: 0.5 },
    draft: true,
    policy: { deny: ['secrets/'] },
  })
  expect(request).toMatchObject({
    setup: 'npm ci',
    test: null,
    draft: true,
    budget: { steps: 3, minutes: 0.5 },
  })
  expect(request.policy?.deny).toEqual(['secrets/'])
})

test('half a character that stands alone is none, wherever a person writes', () => {
  const half = 'a\ud83d b'
  const agent = { name: 'command', argv: [half] }
  expect(parse({ goal: half, setup: half, test: half, agent })).toMatchObject({
    goal: 'a\ufffd b',
    setup: 'a\ufffd b',
    test: 'a\ufffd b',
    agent: { argv: ['a\ufffd b'] },
  })
})

describe('B02 a draft by its prefix', () => {
  test.each([
    ['draft: do x', 'do x', true],
    ['DRAFT: do x', 'do x', true],
    ['  Draft : do x', 'do x', true],
    ['草稿：做 x', '做 x', true],
    ['草稿: 做 x', '做 x', true],
    ['drafting plan', 'drafting plan', false],
    ['draft a plan: x', 'draft a plan: x', false],
    ['write a draft: x', 'write a draft: x', false],
    ['做草稿：x', '做草稿：x', false],
    ['draft: draft: x', 'draft: x', true],
  ])('%j', (goal, rest, draft) => {
    expect(parse({ goal })).toMatchObject({ goal: rest, draft })
  })
})

describe('what cannot be had gets one clear sentence', () => {
  test.each<[string, Record<string, unknown>, RegExp]>([
    ['no goal', { goal: undefined }, /goal is missing/],
    ['an empty goal', { goal: ' \n ' }, /goal is empty/],
    ['a draft of nothing', { goal: 'draft: ' }, /goal is empty/],
    ['a goal of 20,001 characters', { goal: 'x'.repeat(20_001) }, /longer than 20,000/],
    ['a goal with a NUL', { goal: 'a\0b' }, /NUL/],
    ['no repository', { repository: undefined }, /repository is missing/],
    ['a relative repository', { repository: 'project' }, /absolute path/],
    ['a ref that is an option', { ref: '--upload-pack=x' }, /ref is not one/],
    ['a ref with a range', { ref: 'a..b' }, /ref is not one/],
    ['a ref with a reflog', { ref: 'a@{1}' }, /ref is not one/],
    ['a ref with a newline', { ref: 'a\nb' }, /ref is not one/],
    ['no steps', { budget: { steps: 0 } }, /at least 1 step/],
    ['negative steps', { budget: { steps: -3 } }, /at least 1 step/],
    ['half a step', { budget: { steps: 1.5 } }, /whole number/],
    ['101 steps', { budget: { steps: 101 } }, /at most 100/],
    ['steps in words', { budget: { steps: 'eight' } }, /whole number/],
    ['negative minutes', { budget: { minutes: -1 } }, /more than 0 minutes/],
    ['more than a day', { budget: { minutes: 1441 } }, /at most 1,440/],
    ['minutes that are none', { budget: { minutes: Number.NaN } }, /number of minutes/],
    ['an agent without a program', { agent: { name: 'command' } }, /needs a program/],
    ['an agent with an empty program', { agent: { name: 'command', argv: [''] } }, /needs a program/],
    ['an agent with a strange name', { agent: { name: 'Rm -rf' } }, /lowercase letters/],
    ['a test command that is a list', { test: ['npm'] }, /test command has to be text/],
    ['a draft in words', { draft: 'yes' }, /"draft" is true or false/],
    ['an unknown key', { gaol: 'x' }, /nothing named "gaol"/],
    ['an unknown key inside', { budget: { hours: 1 } }, /nothing named "hours" in "budget"/],
    ['a bad pattern', { policy: { deny: ['!x'] } }, /pattern "!x" begins with "!"/],
    ['a negative limit', { policy: { limits: { pids: -1 } } }, /policy\.limits\.pids/],
  ])('%s', (_name, some, sentence) => {
    const found = problems({ ...good, ...some })
    expect(found).toEqual([expect.stringMatching(sentence)])
    expect(found[0]).toMatch(/^[A-Z"].*\.$/s)
  })

  test('of every problem at once', () => {
    expect(problems({ goal: 7, repository: 'x' })).toHaveLength(2)
  })

  test.each([null, 7, 'x', [], undefined])('of what is no request: %j', (input) => {
    expect(problems(input).length).toBeGreaterThan(0)
  })
})

test('reading is total: a request or sentences', () => {
  const inputs = fc.oneof(fc.anything(), fc.record({ goal: fc.anything(), repository: fc.anything() }))
  fc.assert(
    fc.property(inputs, (input) => {
      const parsed = parseTaskRequest(input)
      const said = parsed.ok ? ['A request.'] : parsed.problems
      expect(said.length).toBeGreaterThan(0)
      expect(said.filter((problem) => !/\S\.$/.test(problem))).toEqual([])
    }),
  )
})

test('a goal that was read is read again as it is', () => {
  fc.assert(
    fc.property(
      fc
        .string({ minLength: 1 })
        .filter((goal) => goal.trim() !== '' && !/\0|^\s*(?:draft|草稿)/i.test(goal)),
      (goal) => {
        expect(parse({ goal: parse({ goal }).goal }).goal).toBe(goal.trim())
      },
    ),
  )
})
