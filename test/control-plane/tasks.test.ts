import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Bus } from '../../control-plane/bus.ts'
import { openStore } from '../../control-plane/store/open.ts'
import type { Store } from '../../control-plane/store/store.ts'
import { Tasks } from '../../control-plane/tasks.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { Actor, Task } from '../../src/domain/task.ts'
import { attesting } from '../support/attesting.ts'
import { change } from '../support/change.ts'
import { aSurface } from '../support/surface.ts'
import { aPerson, aTask, aTaskId, aTime } from '../support/task.ts'
import { type Home, makeHome } from './store/home.ts'

const bob: Actor = { kind: 'local', id: 'bob' }

let home: Home
let store: Store
let bus: Bus
let tasks: Tasks

beforeEach(() => {
  home = makeHome()
  store = openStore(home.file)
  bus = new Bus()
  tasks = new Tasks({ store, bus, clock: () => aTime + 1, attestor: attesting(store) })
})
afterEach(() => {
  store[Symbol.dispose]()
  home[Symbol.dispose]()
})

function draft(): Task {
  return tasks.birth(aTask({ status: 'DRAFT' }), 'Submitted.', { surface: { open: aSurface() } })
}

/** What is said to whom an act is refused, and that nothing of it was written. */
function conflict(act: () => Task): string {
  const before = [store.task(aTaskId), store.events(aTaskId, 0, 100), store.openSurface(aTaskId)]
  try {
    act()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    expect(error.code).toBe('conflict')
    expect([store.task(aTaskId), store.events(aTaskId, 0, 100), store.openSurface(aTaskId)]).toEqual(before)
    return error.message
  }
  throw new Error('it was done')
}

const using = (actor: Actor, action: string, text: string | null = null) => ({
  surface: { use: { id: 'surface-1', action, actor, text, at: aTime + 1 } },
})

describe('an act that is bound to what was shown', () => {
  it('is done where the task is as it was shown', () => {
    const { revision } = draft()
    expect(tasks.act(aTaskId, { type: 'approved' }, aPerson, undefined, revision).status).toBe('PENDING')
  })

  it.each([
    ['approved', { type: 'approved' }],
    ['rejected', { type: 'rejected', text: null }],
    ['suggested', { type: 'suggested', text: 'Also the docs', risks: [] }],
  ] as const)('is not done where the task has another revision: %s', (_, input) => {
    const { revision } = draft()
    tasks.act(aTaskId, { type: 'suggested', text: 'Drop the table', risks: [] }, bob)
    const said = conflict(() => tasks.act(aTaskId, input, aPerson, undefined, revision))
    expect(said).toBe(
      `Task ${aTaskId} changed since it was shown (revision 1, now 2): look at it and decide again.`,
    )
  })

  it('that is bound to nothing is done whatever the revision is', () => {
    draft()
    tasks.act(aTaskId, { type: 'suggested', text: 'Drop the table', risks: [] }, bob)
    expect(tasks.act(aTaskId, { type: 'approved' }, aPerson).status).toBe('PENDING')
  })
})

describe('a decision that comes too late', () => {
  it('B10 is told who decided what, where the task has moved on', () => {
    draft()
    tasks.act(aTaskId, { type: 'rejected', text: 'No.' }, bob, () => using(bob, 'reject', 'No.'))
    const said = conflict(() => tasks.act(aTaskId, { type: 'approved' }, aPerson))
    expect(said).toContain('is REJECTED: approve is not possible')
    expect(said).toContain('bob has decided already (reject: "No.").')
  })

  it('says nothing of deciders where nobody has decided', () => {
    tasks.birth(aTask(), 'Submitted.')
    const said = conflict(() => tasks.act(aTaskId, { type: 'approved' }, aPerson))
    expect(said).toContain('is PENDING: approve is not possible')
    expect(said).not.toContain('decided')
  })

  it('B10 is told who decided what, where the surface was used at the same instant', () => {
    const task = draft()
    // Another process is faster, after the task was read and before it is written.
    const faster = () => {
      using other = openStore(home.file)
      other.write(change(task, { status: 'REJECTED' }, using(bob, 'reject')))
      return using(aPerson, 'approve')
    }
    expect(() => tasks.act(aTaskId, { type: 'approved' }, aPerson, faster)).toThrow(
      `bob has decided already (reject). Task ${aTaskId} is REJECTED now.`,
    )
  })

  it('is told what became of the surface', () => {
    const surface = { open: aSurface({ expiresAt: aTime }) }
    tasks.birth(aTask({ status: 'DRAFT' }), 'Submitted.', { surface })
    const said = conflict(() =>
      tasks.act(aTaskId, { type: 'approved' }, aPerson, () => using(aPerson, 'approve')),
    )
    expect(said).toBe(
      `That offer has expired: \`cofferdam task show ${aTaskId}\` shows the task as it is. Task ${aTaskId} is DRAFT now: look at it and decide again.`,
    )
  })

  it('is told that the task changed, where that is all that happened', () => {
    const task = draft()
    const faster = () => {
      using other = openStore(home.file)
      other.write(change(task, { status: 'STOPPED' }))
      return {}
    }
    expect(() => tasks.act(aTaskId, { type: 'approved' }, aPerson, faster)).toThrow(
      `Task ${aTaskId} changed at the same moment. Task ${aTaskId} is STOPPED now`,
    )
  })
})

describe('a report of the loop', () => {
  it('answers with the task as it is written, what a heartbeat charged meanwhile included', () => {
    tasks.birth(aTask(), 'Submitted.')
    tasks.report(aTaskId, 0, { type: 'claimed', leaseUntil: aTime + 9 })
    const done = tasks.report(aTaskId, 1, { type: 'advanced', phase: 'agent', text: 'Ready.' })
    expect(done).toEqual({ kind: 'written', task: store.task(aTaskId) })
    expect(store.task(aTaskId)).toMatchObject({ phase: 'agent', version: 3 })
  })

  it('under an old fence is refused', () => {
    tasks.birth(aTask(), 'Submitted.')
    tasks.report(aTaskId, 0, { type: 'claimed', leaseUntil: aTime + 9 })
    const done = tasks.report(aTaskId, 0, { type: 'advanced', phase: 'agent', text: 'Ready.' })
    expect(done).toMatchObject({ kind: 'refused', text: 'Fence 0 is old, the task has 1.' })
    expect(store.events(aTaskId, 0, 10)).toHaveLength(2)
  })
})
