import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Bus } from '../../../control-plane/bus.ts'
import { perform } from '../../../control-plane/gate/act.ts'
import { refuseSpent } from '../../../control-plane/gate/refusals.ts'
import { openSurface } from '../../../control-plane/gate/surfaces.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import type { Store } from '../../../control-plane/store/store.ts'
import { Tasks } from '../../../control-plane/tasks.ts'
import { hostPath } from '../../../src/config/places.ts'
import { defaultBudget } from '../../../src/domain/budget.ts'
import type { Caller } from '../../../src/domain/caller.ts'
import type { Act } from '../../../src/domain/control-plane.ts'
import type { Budget, Task } from '../../../src/domain/task.ts'
import { attesting } from '../../support/attesting.ts'
import { aBox } from '../../support/box.ts'
import { change } from '../../support/change.ts'
import {
  aBudget,
  aCheckpoint,
  anOperator,
  anOwner,
  aPerson,
  aSpent,
  aTask,
  aTaskId,
  aTime,
} from '../../support/task.ts'

let folder: string
let store: Store
let tasks: Tasks
let now: number
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-act-'))
  store = openStore(hostPath(join(folder, 'cofferdam.db')))
  tasks = new Tasks({ store, bus: new Bus(), clock: () => now, attestor: attesting(store) })
  now = aTime
})
afterEach(() => {
  store[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

const defaults = { budget: { ...defaultBudget, tokens: 1000 } }

function act(wanted: Act, shown: number | null = null, caller: Caller = anOwner): Task {
  return perform({ store, tasks, defaults, clock: () => now }, aTaskId, wanted, { caller, shown })
}

/** A task of an operator's, on which this has happened. */
function born(overrides: Partial<Task> = {}): Task {
  const task = aTask({ createdBy: anOperator.actor, ...overrides })
  const open = task.status === 'DRAFT' ? { surface: { open: openSurface(task, now) } } : {}
  return tasks.birth(task, 'Submitted.', open)
}

const lastData = (): unknown => store.events(aTaskId, 0, 100).at(-1)?.data

describe('a discard', () => {
  it('while a step is being salvaged ends its attempt, so that its box belongs to nobody', () => {
    const task = born({ status: 'STOPPED', phase: 'salvage', step: 1, attempt: 1 })
    const open = { ...aCheckpoint({ state: 'open' }), box: aBox() }
    store.write(change(task, {}, { checkpoint: open }))
    expect(store.openBoxes()).toEqual([open.box.name])
    expect(act({ act: 'discard' })).toMatchObject({ delivery: 'discarded', phase: null })
    expect(store.checkpoints(aTaskId)).toMatchObject([{ state: 'dropped', endedAt: now }])
    expect(store.openBoxes()).toEqual([])
  })
})

describe('a resume', () => {
  const halted: Partial<Task> = { status: 'BLOCKED', halt: { reason: 'paused', text: 'Paused.' } }

  it('puts what a rule says about a larger budget on record', () => {
    born(halted)
    act({ act: 'resume', instruction: 'sudo it', budget: aBudget({ steps: 12, seconds: 1500 }) })
    expect(lastData()).toMatchObject({
      risks: [{ rule: 'privilege' }, { rule: 'steps' }, { rule: 'time' }],
    })
  })

  it.each([
    ['what was granted before', { steps: 12 }],
    ['a smaller one', { steps: 10 }],
    ['none', null],
  ])('is nothing to ask about with %s', (_, budget) => {
    born({ ...halted, budget: aBudget({ steps: 12, seconds: 1200 }) })
    act({ act: 'resume', instruction: null, budget })
    expect(lastData()).toEqual({ risks: [] })
  })

  it.each<Partial<Task>>([{ status: 'APPLIED' }, { status: 'TIMEOUT', delivery: 'discarded' }])(
    'that is not possible is not asked for more budget first: %j',
    (state) => {
      born({ ...state, spent: aSpent({ steps: 8, ms: 0 }) })
      expect(() => act({ act: 'resume', instruction: 'and this', budget: null })).toThrow(
        'resume is not possible',
      )
    },
  )

  it('of a spent budget says which command gives more, also as a suggestion', () => {
    born({ ...halted, spent: aSpent({ steps: 8, ms: 0 }) })
    expect(() => act({ act: 'resume', instruction: null, budget: null })).toThrow(
      `such as \`cofferdam task resume ${aTaskId} --steps 12\``,
    )
    expect(() => act({ act: 'suggest', text: 'use ls' })).toThrow(
      `such as \`cofferdam task resume ${aTaskId} --instruction TEXT --steps 12\``,
    )
  })
})

describe('a resume of a task whose budget of models did not cover another call', () => {
  const short: Partial<Task> = {
    status: 'TIMEOUT',
    halt: { reason: 'tokens', text: 'It does not cover another call.' },
    budget: aBudget({ tokens: 20_000 }),
    spent: aSpent({ tokens: 1200 }),
  }

  it.each<[string, string | null, Partial<Budget> | null, string]>([
    ['nothing', null, null, ''],
    ['a word alone', 'Say less', null, ' --instruction TEXT'],
    ['more of something else', null, { steps: 9 }, ''],
    ['less', null, { tokens: 15_000 }, ''],
  ])('is refused with %s, for it would end at once again', (_, instruction, budget, word) => {
    born(short)
    const amount = (budget?.tokens ?? 20_000) * 2
    expect(() => act({ act: 'resume', instruction, budget })).toThrow(
      `Task ${aTaskId} has used 1200 tokens, and what is left of its budget does not cover another call: give it more, ` +
        `such as \`cofferdam task resume ${aTaskId}${word} --tokens ${amount}\`.`,
    )
  })

  it('goes on with more, or where there is only something to hand over', () => {
    born(short)
    expect(act({ act: 'resume', instruction: null, budget: { tokens: 40_000 } }).status).toBe('PENDING')
    expect(() =>
      refuseSpent(aTask({ ...short, outcome: 'tested' }), aBudget({ tokens: 20_000 }), null),
    ).not.toThrow()
  })

  it('is the same with money', () => {
    born({
      ...short,
      halt: { reason: 'cost', text: '' },
      budget: aBudget({ costUsd: 2 }),
      spent: aSpent({ costUsd: 1.5 }),
    })
    expect(() => act({ act: 'resume', instruction: null, budget: null })).toThrow('--cost 4')
    expect(act({ act: 'resume', instruction: null, budget: { costUsd: 4 } }).status).toBe('PENDING')
  })
})

describe('a suggestion', () => {
  it.each([
    ['RUNNING', 'Possible now: steer, stop, pause. What you steer with is in the next prompt.'],
    ['PENDING', 'Possible now: stop, pause.'],
    ['APPLIED', 'Possible now: review, merge, discard.'],
  ] as const)('on a task that is %s says what there is instead', (status, sentence) => {
    born({ status })
    expect(() => act({ act: 'suggest', text: 'use ls' })).toThrow(
      `Task ${aTaskId} is ${status}: suggest is for a DRAFT or a halted task. ${sentence}`,
    )
  })

  it.each([
    [true, 'review, merge, pull-request, discard'],
    [false, 'review, merge, discard'],
  ])('on a task of a repository whose pull requests can be opened (%s) says %s', (can, named) => {
    const proposes = (repository: string): boolean => can && repository === aTask().repository.path
    tasks = new Tasks({ store, bus: new Bus(), clock: () => now, attestor: attesting(store), proposes })
    born({ status: 'APPLIED' })
    for (const wanted of [{ act: 'suggest', text: 'use ls' }, { act: 'pause' }] as const)
      expect(() => act(wanted)).toThrow(`Possible now: ${named}.`)
  })

  it('on an answered question says how to ask more, where it is not discarded', () => {
    born({ kind: 'question', status: 'APPLIED', answer: 'So.' })
    const more = `\`cofferdam ask --follow-up ${aTaskId} QUESTION\` asks more`
    expect(() => act({ act: 'suggest', text: 'and why?' })).toThrow(more)
    act({ act: 'discard' })
    expect(() => act({ act: 'suggest', text: 'and why?' })).toThrow(/Nothing more can be done with it\.$/)
  })

  it('B25 on a DRAFT is part of the goal, read for risks, with a new surface', () => {
    born({ status: 'DRAFT' })
    const old = store.openSurface(aTaskId)
    const task = act({ act: 'suggest', text: 'then deploy to production' })
    expect([task.status, task.revision, task.goal]).toEqual([
      'DRAFT',
      2,
      'Make the tests pass\n\nthen deploy to production',
    ])
    expect(task.risks.length).toBeGreaterThan(0)
    const fresh = store.openSurface(aTaskId)
    expect([fresh?.revision, fresh?.id === old?.id]).toEqual([2, false])
  })
})

describe('B03 every later text passes the rules of a submission', () => {
  const halted: Partial<Task> = { status: 'BLOCKED', halt: { reason: 'paused', text: 'Paused.' } }
  const later: readonly [string, Partial<Task>, Act, readonly string[]][] = [
    ['an instruction', halted, { act: 'resume', instruction: '然后部署到服务器', budget: null }, ['deploy']],
    [
      'an instruction after another',
      { ...halted, instruction: 'curl x.test |' },
      { act: 'resume', instruction: 'sh', budget: null },
      ['remote_code'],
    ],
    ['a suggestion on a halted task', halted, { act: 'suggest', text: 'sudo it' }, ['privilege']],
    [
      'a steering',
      { status: 'RUNNING', phase: 'agent' },
      { act: 'steer', text: 'npm install x' },
      ['install'],
    ],
    [
      'a steering after another',
      { status: 'VALIDATING', phase: 'test', instruction: 'Then pip' },
      { act: 'steer', text: 'install requests' },
      ['install'],
    ],
    ['more steps', halted, { act: 'resume', instruction: null, budget: { steps: 12 } }, ['steps']],
    [
      'more tokens than are configured',
      { ...halted, budget: aBudget({ tokens: 10 }) },
      { act: 'resume', instruction: null, budget: { tokens: 2000 } },
      ['spending'],
    ],
  ]

  it.each(later)(
    '%s of one who may approve is done, and why it was asked about is on record',
    (_, task, wanted, rules) => {
      born(task)
      act(wanted)
      expect(lastData()).toMatchObject({ risks: rules.map((rule) => ({ rule })) })
    },
  )

  it.each(later)('%s of anybody else is refused, and nothing is written', (_, task, wanted) => {
    const before = born(task)
    expect(() => act(wanted, null, anOperator)).toThrow(/Ask somebody who may approve/)
    expect(tasks.get(aTaskId)).toEqual(before)
  })

  it.each<Act>([
    { act: 'resume', instruction: null, budget: null },
    { act: 'suggest', text: 'go on' },
  ])('that setup runs again on what the agent changed is for those who may approve: %j', (wanted) => {
    const before = born({ status: 'BLOCKED', halt: { reason: 'approval', text: 'The lock file changed.' } })
    expect(() => act(wanted, null, anOperator)).toThrow(
      /^Setup would run again.*Ask somebody who may approve/,
    )
    expect(tasks.get(aTaskId)).toEqual(before)
    expect(act(wanted).setupKey).toBeNull()
    expect(lastData()).toMatchObject({ risks: [{ rule: 'setup' }] })
  })

  it.each<Act>([
    { act: 'resume', instruction: 'Fix the database tests too', budget: { tokens: 1000 } },
    { act: 'suggest', text: '再给解析器增加单元测试' },
  ])('what no rule questions may be asked by anybody: %j', (wanted) => {
    born({ ...halted, budget: aBudget({ tokens: 10 }) })
    expect(act(wanted, null, anOperator).status).toBe('PENDING')
  })

  it('does not let a draft run that was stopped, until somebody approves who may', () => {
    born({ status: 'DRAFT', risks: [{ rule: 'setup', text: 'Setup runs.' }] })
    act({ act: 'stop', text: null }, null, anOperator)
    for (const wanted of [
      { act: 'resume', instruction: null, budget: null },
      { act: 'suggest', text: 'Go on.' },
    ] satisfies readonly Act[]) {
      expect(() => act(wanted, null, anOperator)).toThrow(
        'It was stopped before anybody approved it. Setup runs. Ask somebody who may approve to do it.',
      )
    }
    expect(store.task(aTaskId)?.status).toBe('STOPPED')
    expect(act({ act: 'resume', instruction: null, budget: null }).status).toBe('PENDING')
    expect(lastData()).toMatchObject({ risks: [{ rule: 'approval' }, { rule: 'setup' }] })
    act({ act: 'stop', text: null }, null, anOperator)
    expect(act({ act: 'resume', instruction: null, budget: null }, null, anOperator).status).toBe('PENDING')
  })

  it('a suggestion on a DRAFT of anybody leaves a DRAFT, with what it says together with the goal', () => {
    born({ status: 'DRAFT', goal: 'Pipe it: curl x.test |' })
    const task = act({ act: 'suggest', text: 'bash' }, null, anOperator)
    expect([task.status, task.risks.map(({ rule }) => rule)]).toEqual(['DRAFT', ['remote_code']])
  })
})

describe('what is bound to a revision', () => {
  it.each<Act>([
    { act: 'approve' },
    { act: 'reject', text: null },
    { act: 'suggest', text: 'use ls' },
    { act: 'stop', text: null },
  ])('is not done on another: %j', (wanted) => {
    born({ status: 'DRAFT' })
    act({ act: 'suggest', text: 'and format' })
    const before = tasks.get(aTaskId)
    expect(() => act(wanted, 1)).toThrow(/changed since it was shown/)
    expect(tasks.get(aTaskId)).toEqual(before)
    expect(act(wanted, 2).version).toBe(before.version + 1)
  })
})

describe('a suggestion on a draft whose surface has expired', () => {
  it('is on record, and a fresh surface is offered', () => {
    const task = born({ status: 'DRAFT' })
    const expired = openSurface(task, now)
    now += 25 * 60 * 60 * 1000
    act({ act: 'suggest', text: 'Use tabs.' })
    expect(store.lastDecision(aTaskId)).toMatchObject({
      usedAction: 'suggest',
      usedBy: aPerson,
      text: 'Use tabs.',
      revision: task.revision,
    })
    const offered = store.openSurface(aTaskId)
    expect(offered).toMatchObject({ revision: task.revision + 1, closedAt: null, openedAt: now })
    expect(offered?.id).not.toBe(expired.id)
  })
})
