import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Bus } from '../../control-plane/bus.ts'
import { openStore } from '../../control-plane/store/open.ts'
import type { Store } from '../../control-plane/store/store.ts'
import { Tasks } from '../../control-plane/tasks.ts'
import { Together } from '../../control-plane/together.ts'
import { hostPath } from '../../src/config/places.ts'
import { Failure } from '../../src/domain/failure.ts'
import { attesting } from '../support/attesting.ts'
import { aTask, aTaskIdOf } from '../support/task.ts'

let folder: string
let store: Store
let other: Store
let bus: Bus
/** The tasks that somebody was told of, and whether they were on disk then. */
let told: unknown[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-together-'))
  const file = hostPath(join(folder, 'cofferdam.db'))
  store = openStore(file)
  other = openStore(file)
  bus = new Bus()
  told = []
  bus.subscribe({ changed: ({ id }, type) => told.push([id, type, other.task(id) !== null]) })
})
afterEach(() => {
  other[Symbol.dispose]()
  store[Symbol.dispose]()
  rmSync(folder, { recursive: true })
})

const ids = [1, 2, 3].map(aTaskIdOf)
const all = ids.map((id) => [id, 'submitted', true])

/** Three births of one turn. `spoil` comes after the second one has written. */
function births(from: Pick<Store, 'together'>, spoil: () => void = () => undefined) {
  const tasks = new Tasks({ store, bus, clock: Date.now, attestor: attesting(store) })
  const together = new Together({ store: from, bus })
  const joined = ids.map((id) =>
    together.join(() => {
      const { id: born } = tasks.birth(aTask({ id }), 'Submitted.')
      if (id === ids[1]) spoil()
      return born
    }),
  )
  return Promise.allSettled(joined)
}

it('what comes in at once is one transaction, and told when it is on disk', async () => {
  let transactions = 0
  const counting: Pick<Store, 'together'> = {
    together(acts) {
      transactions += 1
      return store.together(acts)
    },
  }
  expect(await births(counting)).toEqual(ids.map((value) => ({ status: 'fulfilled', value })))
  expect(transactions).toBe(1)
  expect(told).toEqual(all)
})

it('of one that fails nobody is told, and the others are there', async () => {
  const broken = new Error('broken')
  const outcomes = await births(store, () => {
    throw broken
  })
  expect(outcomes.map((one) => (one.status === 'rejected' ? one.reason : one.value))).toEqual([
    ids[0],
    broken,
    ids[2],
  ])
  expect(told).toEqual([all[0], all[2]])
  expect(other.task(aTaskIdOf(2))).toBeNull()
})

it('what takes all of them back lets each be tried by itself', async () => {
  let full = true
  const outcomes = await births(store, () => {
    if (!full) return
    full = false
    throw new Failure('disk', 'The disk is full.')
  })
  expect(outcomes).toEqual(ids.map((value) => ({ status: 'fulfilled', value })))
  expect(told).toEqual(all)
  expect(ids.map((id) => other.events(id, 0, 10).length)).toEqual([1, 1, 1])
})
