import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Bus } from '../../../control-plane/bus.ts'
import { perform } from '../../../control-plane/gate/act.ts'
import { openSurface } from '../../../control-plane/gate/surfaces.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import type { Store } from '../../../control-plane/store/store.ts'
import { Tasks } from '../../../control-plane/tasks.ts'
import { hostPath } from '../../../src/config/places.ts'
import type { Act } from '../../../src/domain/control-plane.ts'
import type { Task } from '../../../src/domain/task.ts'
import { attesting } from '../../support/attesting.ts'
import { aBudget, aPerson, aSpent, aTask, aTaskId, aTime } from '../../support/task.ts'

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

function act(wanted: Act, shown: number | null = null): Task {
  return perform({ store, tasks, clock: () => now }, aTaskId, wanted, { actor: aPerson, shown })
}

/** A task on which this has happened. */
function born(overrides: Partial<Task> = {}): Task {
  const task = aTask(overrides)
  const open = task.status === 'DRAFT' ? { surface: { open: openSurface(task, now) } } : {}
  return tasks.birth(task, 'Submitted.', open)
}

const lastData = (): unknown => store.events(aTaskId, 0, 100).at(-1)?.data

describe('a resume', () => {
  const halted: Partial<Task> = { status: 'BLOCKED', halt: { reason: 'paused', text: 'Paused.' } }

  it('puts what a rule says about a larger budget on record', () => {
    born(halted)
    act({ act: 'resume', instruction: 'sudo it', budget: aBudget({ steps: 12, seconds: 1500 }) })
    expect(lastData()).toMatchObject({
      risks: [{ rule: 'sudo' }, { rule: 'steps' }, { rule: 'time' }].map((risk) =>
        risk.rule === 'sudo' ? expect.anything() : expect.objectContaining(risk),
      ),
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

describe('a suggestion', () => {
  it.each([
    ['RUNNING', 'Possible now: steer, stop, pause. What you steer with is in the next prompt.'],
    ['PENDING', 'Possible now: stop, pause.'],
    ['APPLIED', 'Possible now: discard.'],
  ] as const)('on a task that is %s says what there is instead', (status, sentence) => {
    born({ status })
    expect(() => act({ act: 'suggest', text: 'use ls' })).toThrow(
      `Task ${aTaskId} is ${status}: suggest is for a DRAFT or a halted task. ${sentence}`,
    )
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
