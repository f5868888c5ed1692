import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { anEvent, birth, change } from '../../support/change.ts'
import { aCheckpoint, aCommitOf, aPerson, aTask, aTaskIdOf, aTime } from '../../support/task.ts'
import { type SearchLab, searchLab } from './lab.ts'

let lab: SearchLab
beforeEach(() => {
  lab = searchLab()
})
afterEach(() => lab[Symbol.dispose]())

const system = { kind: 'system', id: 'control-plane' } as const

describe('a search', () => {
  it('finds a task by everything that a person may remember of it', async () => {
    const task = aTask({
      goal: 'Mend the wobbling parser',
      request: 'Mend it',
      repository: { path: '/home/ada/orchard', key: 'k' },
      branch: 'cofferdam/abc',
      setup: 'make prepare',
      instruction: 'leave the lexer alone',
      halt: { reason: 'agent', text: 'The agent is puzzled.' },
      risks: [{ rule: 'words', text: 'It speaks of deployment.' }],
      priorFailure: 'exit code 7: segmentation',
    })
    const checkpoint = aCheckpoint({
      state: 'kept',
      commit: aCommitOf('d'),
      instruction: 'use tabs',
      agent: {
        marker: { state: 'BLOCKED', blockReason: 'missing credentials' },
        text: 'I rewrote the grammar.',
        exitCode: 0,
        session: null,
        usage: null,
        failure: 'it crashed badly',
      },
      test: { passed: false, end: 'exited', exitCode: 1, tail: 'FAIL quaternion' },
      violations: [{ path: 'secret/place', rule: '.env', kind: 'deny', what: 'created', found: 'file' }],
      candidate: {
        commit: aCommitOf('d'),
        tree: aCommitOf('e') as never,
        changed: true,
        leftOut: [{ path: 'big/blob.bin', why: 'too large' }],
        stat: { files: 1, insertions: 1, deletions: 1 },
        paths: ['src/grammar/rules.ts'],
      },
    })
    const born = lab.write(birth(task, { checkpoint }))
    const steered = anEvent({ type: 'steered', actor: aPerson, text: 'Steered: mind the whitespace' })
    const next = lab.write(change(born, {}, { event: steered }))
    lab.write(change(next, {}, { event: anEvent({ actor: system, text: '3 files changed.' }) }))
    const kindsBy = async (text: string): Promise<unknown> => {
      const { hits } = await lab.search(text)
      return hits.map(({ snippets }) => [snippets[0]?.kind, snippets[0]?.step])
    }
    for (const [text, kind, step] of [
      ['wobbling', 'goal', null],
      ['lexer', 'people', null],
      ['whitespace', 'people', null],
      ['tabs', 'people', 1],
      ['orchard', 'names', null],
      ['cofferdam/abc', 'names', null],
      ['make prepare', 'names', null],
      [task.id, 'names', null],
      ['dddddddd', 'names', 1],
      ['src/grammar/rules.ts', 'names', 1],
      ['blob.bin', 'names', 1],
      ['secret/place', 'names', 1],
      ['puzzled', 'events', null],
      ['deployment', 'events', null],
      ['"3 files changed"', 'events', null],
      ['rewrote', 'agent', 1],
      ['missing credentials', 'agent', 1],
      ['crashed', 'agent', 1],
      ['quaternion', 'output', 1],
      ['segmentation', 'output', null],
    ] as const)
      expect([text, await kindsBy(text)]).toEqual([text, [[kind, step]]])
  })

  it('takes words in any order, as beginnings, folded, and side by side in quotes', async () => {
    lab.made(
      { goal: 'Fix the Café login' },
      { goal: 'Fix logging of the cafe' },
      { goal: '修复登录错误' },
      { goal: '登录页面' },
      { goal: 'Deploy 🚀 in C++ and parseTaskRequest' },
    )
    for (const [text, expected] of [
      ['login cafe', [0]],
      ['log', [1, 0]],
      ['CAFÉ fix', [1, 0]],
      ['"fix the"', [0]],
      ['"the fix"', []],
      ['"log"', []],
      ['登录', [3, 2]],
      ['修复', [2]],
      ['登', [3, 2]],
      ['误', [2]],
      ['录错误', [2]],
      ['录误', []],
      ['🚀', [4]],
      ['C++', [4]],
      ['taskRequest', [4]],
      ['taskreq', []],
      ['fix absent', []],
    ] as const)
      expect([text, await lab.found(text)]).toEqual([text, expected])
  })

  it('has the best first: words before beginnings, the goal before what was printed, then the newest', async () => {
    const rows = ['bolt', 'a nut', 'bolts', 'bolt', 'a nut'].map((goal) => ({ goal, request: goal }))
    const tasks = lab.made(...rows, ...Array.from({ length: 20 }, () => ({ goal: 'other', request: '' })))
    const printed = anEvent({ actor: system, text: 'There was a bolt.' })
    for (const number of [1, 4]) {
      const task = tasks[number]
      if (task !== undefined) lab.write(change(task, {}, { event: printed }))
    }
    expect(await lab.found('bolt')).toEqual([3, 0, 4, 1, 2])
  })

  it('is narrowed by repository, status and time, and limited', async () => {
    lab.made(
      { goal: 'mend it', repository: { path: '/r/one', key: '1' } },
      { goal: 'mend it', repository: { path: '/r/one', key: '1' }, status: 'BLOCKED' },
      { goal: 'mend it', repository: { path: '/r/one/inner', key: '2' }, status: 'FAILED' },
      { goal: 'mend it', repository: { path: '/r', key: '3' } },
    )
    const text = 'mend'
    expect(await lab.found({ text, repository: '/r/one' })).toEqual([3, 1, 0])
    expect(await lab.found({ text, repository: '/r/one/src/deep' })).toEqual([3, 1, 0])
    expect(await lab.found({ text, repository: '/r/on' })).toEqual([3])
    expect(await lab.found({ text, repository: '/elsewhere' })).toEqual([])
    expect(await lab.found({ text, statuses: ['BLOCKED', 'FAILED'] })).toEqual([2, 1])
    expect(await lab.found({ text, statuses: [] })).toEqual([])
    expect(await lab.found({ text, since: aTime + 60_000, until: aTime + 180_000 })).toEqual([2, 1])
    expect(await lab.found({ text, repository: '/r/one', statuses: ['BLOCKED'] })).toEqual([1])
    expect(await lab.search({ text, limit: 3 })).toMatchObject({ more: true, behind: 0 })
    expect(await lab.search({ text, limit: 4 })).toMatchObject({ more: false })
    expect(await lab.found({ text, limit: 1 })).toEqual([3])
  })

  it('knows a task as it is now, and a discarded one as the store does', async () => {
    const [task] = lab.made({ goal: 'mend it' })
    if (task === undefined) throw new Error('one was made')
    expect(await lab.found({ text: 'mend', statuses: ['PENDING'] })).toEqual([0])
    const stopped = lab.write(change(task, { status: 'STOPPED', goal: 'break it' }))
    expect(await lab.found({ text: 'mend', statuses: ['PENDING'] })).toEqual([])
    expect(await lab.found({ text: 'break', statuses: ['STOPPED'] })).toEqual([0])
    lab.write(change(stopped, { delivery: 'discarded' }))
    expect((await lab.search('break')).hits).toMatchObject([{ task: { delivery: 'discarded' } }])
  })

  it.each(['foo-bar', 'C++', "it's", '"', '*', '修复', '', 'x'.repeat(10_000), '修'.repeat(10_000)])(
    'B30 for %.20j has results or none, never an error',
    async (text) => {
      lab.made({ goal: "foo-bar C++ it's 修复" })
      const some = ['foo-bar', 'C++', "it's", '修复'].includes(text)
      expect(await lab.found(text)).toEqual(some ? [0] : [])
    },
  )

  it('B30 for any text at all has results or none, never an error', async () => {
    lab.made({ goal: 'AND OR NOT NEAR column texts goal match select rowid' }, { goal: '修复 🚀 \0' })
    const operator = fc.constantFrom(
      ...'AND OR NOT NEAR( goal: {goal } ^ * " ( ) - + ; -- // DROP TABLE texts rank merge ％ 修 复 🚀'.split(
        ' ',
      ),
      "'",
      '\0',
      '\ue000',
      '\ue001',
      '\ue003',
      '\ud800',
      '修复',
      '"修"',
      'c++',
    )
    const piece = fc.oneof(operator, fc.string({ unit: 'binary', maxLength: 8 }), fc.string({ maxLength: 8 }))
    const text = fc
      .tuple(fc.array(piece, { maxLength: 12 }), fc.constantFrom('', ' '))
      .map(([all, by]) => all.join(by))
    await fc.assert(
      fc.asyncProperty(text, async (query) => {
        expect(await lab.search(query)).toMatchObject({ more: false, behind: 0 })
      }),
      { numRuns: 300 },
    )
    expect(lab.warnings).toEqual([])
  })

  it('finds any piece of a Chinese text of any length', async () => {
    const goal = '请修复登录页面的错误并运行所有测试'
    lab.made({ goal, request: '' }, { goal: '无关', request: '' })
    const letters = Array.from(goal)
    for (let length = 1; length <= letters.length; length += 1)
      for (let from = 0; from + length <= letters.length; from += 1)
        expect(await lab.found(letters.slice(from, from + length).join(''))).toEqual([0])
  })

  it('finds every word that it is given of any goal', async () => {
    const ids = new Map<string, string>()
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }), async (goal) => {
        const number = ids.size
        ids.set(aTaskIdOf(number), goal)
        lab.made({ goal, request: '' })
        const { hits } = await lab.search({ text: goal, limit: 100 })
        const wanted = /[\p{L}\p{N}]/u.test(goal)
        if (wanted) expect(hits.map(({ task }) => task.id)).toContain(aTaskIdOf(number))
      }),
      { numRuns: 60 },
    )
  })
})
