import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Bus } from '../../../control-plane/bus.ts'
import { isLeftOver, recover } from '../../../control-plane/loop/recover.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import type { Store } from '../../../control-plane/store/store.ts'
import { Tasks } from '../../../control-plane/tasks.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import type { Task } from '../../../src/domain/task.ts'
import { lossCap } from '../../../src/domain/transition/table.ts'
import { attesting } from '../../support/attesting.ts'
import { aSpent, aTask, aTaskIdOf } from '../../support/task.ts'

let folder: string
let store: Store
let tasks: Tasks
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-recover-'))
  store = openStore(join(folder, 'cofferdam.db') as HostPath)
  tasks = new Tasks({ store, bus: new Bus(), clock: () => 1, attestor: attesting(store) })
})
afterEach(() => {
  store[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

const born = (number: number, overrides: Partial<Task>): Task =>
  tasks.birth(aTask({ id: aTaskIdOf(number), ...overrides }), 'Submitted.')

const recovered = (): readonly string[] => {
  recover({ store, tasks })
  return store
    .inFlight()
    .filter(isLeftOver)
    .map((task) => task.id)
}

describe('what a dead process left', () => {
  it('B08 is in the queue again: step, attempt and time spent stay, the loss is counted', () => {
    const { id } = born(1, {
      status: 'VALIDATING',
      phase: 'test',
      step: 3,
      attempt: 1,
      fence: 4,
      spent: aSpent({ steps: 2, ms: 5000 }),
    })
    expect(recovered()).toEqual([])
    expect(store.task(id)).toMatchObject({
      status: 'PENDING',
      phase: null,
      step: 3,
      attempt: 1,
      losses: 1,
      spent: aSpent({ steps: 2, ms: 5000 }),
    })
  })

  it('is salvaged where the task was halted in the middle', () => {
    const { id } = born(1, { status: 'STOPPED', phase: 'salvage', halt: { reason: 'stopped', text: '' } })
    born(2, { status: 'PENDING', phase: 'salvage' })
    expect(recovered()).toEqual([id])
  })

  it('waits for a person when the process died with it again and again', () => {
    const { id } = born(1, {
      status: 'RUNNING',
      phase: 'agent',
      step: 1,
      attempt: 5,
      fence: 5,
      losses: lossCap - 1,
    })
    expect(recovered()).toEqual([id])
    expect(store.task(id)).toMatchObject({ status: 'BLOCKED', phase: 'salvage', halt: { reason: 'crash' } })
  })

  it('leaves everything else alone', () => {
    const others = (['DRAFT', 'PENDING', 'APPLIED', 'BLOCKED', 'FAILED'] as const).map((status, index) =>
      born(index + 1, { status }),
    )
    expect(recovered()).toEqual([])
    expect(others.map(({ id }) => store.task(id)?.version)).toEqual([1, 1, 1, 1, 1])
  })
})

describe('a report', () => {
  it('B07 under an old fence is refused and nothing is written', () => {
    const { id } = born(1, { status: 'RUNNING', phase: 'agent', fence: 2 })
    const reported = tasks.report(id, 1, { type: 'agent_finished', text: '' })
    expect(reported.kind).toBe('refused')
    expect(store.events(id, 0, 10)).toHaveLength(1)
  })

  it('B09 that comes after a stop cannot undo it', () => {
    const { id } = born(1, { status: 'RUNNING', phase: 'agent', step: 1, fence: 1 })
    tasks.act(id, { type: 'stopped', text: null }, { kind: 'local', id: 'ada' })
    expect(tasks.report(id, 1, { type: 'agent_finished', text: '' }).kind).toBe('refused')
    expect(store.task(id)?.status).toBe('STOPPED')
  })
})
