import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Bus } from '../../../control-plane/bus.ts'
import { Misses } from '../../../control-plane/gate/misses.ts'
import { decisionsOf, offerAgain, press, type PressDeps } from '../../../control-plane/gate/press.ts'
import { openSurface } from '../../../control-plane/gate/surfaces.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import { Tasks } from '../../../control-plane/tasks.ts'
import type { Caller } from '../../../src/domain/caller.ts'
import { present } from '../../contract/store/bench.ts'
import { attesting } from '../../support/attesting.ts'
import { program, type Program } from '../../support/program.ts'
import {
  anOperator,
  anOwner,
  aPerson,
  aTask,
  aTaskId,
  aTaskIdOf,
  aTime,
  aViewer,
} from '../../support/task.ts'
import { startChild } from '../store/child.ts'
import { type Home, makeHome } from '../store/home.ts'

const day = 24 * 60 * 60 * 1000
let home: Home
let now: number
let deps: PressDeps & Disposable

function open(): PressDeps & Disposable {
  const store = openStore(home.file)
  const clock = (): number => now
  const tasks = new Tasks({ store, bus: new Bus(), clock, attestor: attesting(store) })
  const close = (): void => {
    store[Symbol.dispose]()
  }
  return { store, tasks, clock, nonceKey: () => 'k', misses: new Misses(), [Symbol.dispose]: close }
}

beforeEach(() => {
  home = makeHome()
  now = aTime
  deps = open()
  const draft = aTask({ status: 'DRAFT' })
  deps.tasks.birth(draft, 'Submitted.', { surface: { open: openSurface(draft, now) } })
})
afterEach(() => {
  deps[Symbol.dispose]()
  home[Symbol.dispose]()
})

const button = (action: string, caller: Caller = anOwner): string =>
  present(
    decisionsOf(deps, aTaskId, caller).offer?.choices.find((choice) => choice.action === action)?.id ?? null,
  )
const decide = (id: string, text: string | null = null, caller: Caller = anOwner) =>
  press(deps, aTaskId, id, text, caller)
const other: Caller = { actor: { kind: 'local', id: 'ines' }, role: 'owner' }

describe('B23 a button', () => {
  it.each([
    ['approve', null, 'PENDING'],
    ['reject', 'No.', 'REJECTED'],
    ['suggest', 'Use tabs.', 'DRAFT'],
  ])('%s works once, and then every button there says who decided what', (action, text, status) => {
    const all = ['approve', 'reject', 'suggest'].map((one) => button(one))
    expect(decide(button(action), text).status).toBe(status)
    const after = deps.tasks.get(aTaskId)
    for (const one of all) {
      expect(() => decide(one, null, other)).toThrow(`${aPerson.id} has decided already (${action}`)
    }
    expect(deps.tasks.get(aTaskId)).toEqual(after)
    expect(decisionsOf(deps, aTaskId, anOwner).last).toEqual({ action, by: aPerson, text, at: now })
  })

  it('works after a restart', () => {
    const id = button('approve')
    deps[Symbol.dispose]()
    deps = open()
    expect(decide(id).status).toBe('PENDING')
  })

  it('that has expired decides nothing, and a fresh one is offered once', () => {
    const id = button('approve')
    now += day
    expect(decisionsOf(deps, aTaskId, anOwner).offer?.expired).toBe(true)
    expect(() => decide(id)).toThrow(/has expired, and nothing was decided. A fresh one is open/)
    const offer = decisionsOf(deps, aTaskId, anOwner).offer
    expect(offer).toMatchObject({ expired: false, expiresAt: now + day })
    expect(() => decide(id, null, other)).toThrow(/A fresh one is open/)
    expect(decisionsOf(deps, aTaskId, anOwner).offer).toEqual(offer)
    expect(deps.store.events(aTaskId, 0, 10).map(({ type }) => type)).toEqual(['submitted', 'offered'])
    expect(decide(button('approve')).status).toBe('PENDING')
  })

  it('is good until the last millisecond', () => {
    const id = button('approve')
    now += day - 1
    expect(decide(id).status).toBe('PENDING')
  })

  it('of a task that was stopped says that it moved on', () => {
    const id = button('approve')
    deps.tasks.act(aTaskId, { type: 'stopped', text: null }, aPerson, () => ({ surface: { closeAll: true } }))
    expect(() => decide(id)).toThrow(
      `The task moved on before this was decided. Task ${aTaskId} is STOPPED now`,
    )
  })

  it.each([
    ['of another task', () => button('approve').replace(aTaskId, aTaskIdOf(7))],
    ['with the nonce of another action', () => button('approve').replace('approve', 'reject')],
    ['with a guessed nonce', () => `tdec:${aTaskId}:approve:AAAAAAAA`],
    ['of an action that is no button', () => button('approve').replace('approve', 'discard')],
    ['that is none', () => 'approve'],
  ])('%s is refused, and the sixth in a minute is not even looked at', (_, id) => {
    const before = deps.tasks.get(aTaskId)
    for (let press = 0; press < 5; press++) expect(() => decide(id())).toThrow(/no button of task/)
    expect(() => decide(button('approve'))).toThrow(
      'Too many buttons that are none: try again in 60 seconds.',
    )
    expect(deps.tasks.get(aTaskId)).toEqual(before)
    now += 59_999
    expect(() => decide(button('approve'))).toThrow('in 1 seconds')
    now += 1
    expect(decide(button('approve')).status).toBe('PENDING')
  })

  it('is not kept from one person by the guesses of another', () => {
    for (let press = 0; press < 6; press++) expect(() => decide('x', null, other)).toThrow(/button/)
    expect(decide(button('approve')).status).toBe('PENDING')
  })

  it.each([
    ['suggest', null, /needs words/],
    ['approve', 'Yes.', /takes no text/],
  ])('%s with the text %j is refused, and can be pressed again', (action, text, sentence) => {
    const id = button(action)
    expect(() => decide(id, text)).toThrow(sentence)
    expect(button(action)).toBe(id)
  })
})

describe('a draft that is offered again', () => {
  it('has other buttons, is told of, and is the same draft', () => {
    const old = button('approve')
    offerAgain(deps, aTaskId, anOwner)
    expect(deps.store.events(aTaskId, 0, 9).map(({ type }) => type)).toEqual(['submitted', 'offered'])
    expect(() => decide(old)).toThrow(/moved on/)
    expect(decide(button('approve')).status).toBe('PENDING')
  })

  it.each([
    ['by one who may not say anything about it', aViewer, /may look/],
    ['by an operator whose task it is not', anOperator, /is not theirs/],
  ])('is not, %s', (_, caller, text) => {
    expect(() => offerAgain(deps, aTaskId, caller)).toThrow(text)
  })

  it('is not where nothing is to be decided', () => {
    decide(button('reject'))
    expect(() => offerAgain(deps, aTaskId, anOwner)).toThrow(/REJECTED: there is nothing to decide/)
    expect(deps.store.events(aTaskId, 0, 9).at(-1)?.type).toBe('rejected')
  })
})

describe('B24 a button pressed by one who may not', () => {
  it.each([
    ['a viewer', aViewer, /may look/],
    ['an operator', anOperator, /is an operator/],
  ])('%s changes nothing, and they are offered nothing', (_, caller, sentence) => {
    const before = deps.tasks.get(aTaskId)
    expect(() => decide(button('approve'), null, caller)).toThrow(sentence)
    expect(deps.tasks.get(aTaskId)).toEqual(before)
    expect(decisionsOf(deps, aTaskId, caller).offer).toBeNull()
  })
})

describe('B25 a suggestion by button', () => {
  it('leaves a DRAFT with new buttons', () => {
    const old = button('approve')
    expect(decide(button('suggest'), 'Use tabs.')).toMatchObject({ status: 'DRAFT', revision: 2 })
    expect(button('approve')).not.toBe(old)
    expect(decide(button('approve')).status).toBe('PENDING')
  })
})

describe('B10 processes that press at the same instant', () => {
  let presser: Program
  beforeAll(() => {
    presser = program(new URL('programs/presser.ts', import.meta.url))
  })
  afterAll(() => {
    presser[Symbol.dispose]()
  })

  it.each([
    ['approve and reject', ['approve', 'reject', 'approve', 'reject']],
    ['one button', ['approve', 'approve', 'approve', 'approve']],
  ])(
    '%s: one wins, the others are told who decided what',
    async (_, actions) => {
      const ids = actions.map((action) => button(action))
      const go = join(home.folder, 'go')
      const children = ids.map((id, index) =>
        startChild(process.execPath, [presser.file, home.file, id, `person-${index}`, go]),
      )
      await Promise.all(children.map((child) => child.printed(/ready/)))
      writeFileSync(go, '')
      await Promise.all(children.map((child) => child.ended()))
      const told = children.map((child) => child.output().replace('ready\n', '').trim())
      const winner = told.indexOf('won')
      expect(told.filter((line) => line === 'won')).toHaveLength(1)
      for (const line of told.filter((_line, index) => index !== winner)) {
        expect(line).toContain(`person-${winner} has decided already (${actions[winner]})`)
      }
      expect(deps.store.events(aTaskId, 0, 10)).toHaveLength(2)
      expect(deps.store.lastDecision(aTaskId)?.usedBy?.id).toBe(`person-${winner}`)
    },
    60_000,
  )
})
