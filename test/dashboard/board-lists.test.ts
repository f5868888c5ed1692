import { describe, expect, it } from 'vitest'
import { extended, type List, type Lists, placed } from '../../src/dashboard/board-lists.ts'
import type { Task } from '../../src/domain/task.ts'
import { aTask, aTaskIdOf } from '../support/task.ts'

const task = (number: number, fields: Partial<Task> = {}): Task =>
  aTask({ id: aTaskIdOf(number), createdAt: number, ...fields })
const list = (next: string | null, ...numbers: readonly number[]): List => ({
  tasks: numbers.map((number) => task(number)),
  next,
})
const ids = (lists: Lists) =>
  Object.fromEntries(
    Object.entries(lists).map(([name, { tasks }]) => [name, tasks.map(({ createdAt }) => createdAt)]),
  )

const empty: List = { tasks: [], next: null }

describe('a task that changed', () => {
  it('leaves its list for that of its state', () => {
    const lists = { queued: list(null, 3, 2, 1), running: empty }
    const running = task(2, { status: 'RUNNING', version: 2 })
    expect(ids(placed(lists, running))).toEqual({ queued: [3, 1], running: [2] })
  })

  it('that is new stands in its place', () => {
    expect(ids(placed({ queued: list(null, 4, 1) }, task(3)))).toEqual({ queued: [4, 3, 1] })
    expect(ids(placed({ queued: list('more', 4, 2) }, task(5)))).toEqual({ queued: [5, 4, 2] })
  })

  it('that belongs to a page which is not shown is not shown', () => {
    expect(ids(placed({ queued: list('more', 4, 2) }, task(1)))).toEqual({ queued: [4, 2] })
    expect(ids(placed({ queued: list(null, 4, 2) }, task(1)))).toEqual({ queued: [4, 2, 1] })
  })

  it('is not put back by what was read of it before', () => {
    const newer = task(1, { version: 5, goal: 'newer' })
    const lists = { queued: { tasks: [newer], next: null } }
    expect(placed(lists, task(1, { version: 4 }))['queued']?.tasks).toEqual([newer])
    const newest = task(1, { version: 6 })
    expect(placed(lists, newest)['queued']?.tasks).toEqual([newest])
  })
})

it('a list with one more page has nothing twice', () => {
  expect(extended(list('more', 4, 3), list(null, 3, 2))).toEqual(list(null, 4, 3, 2))
})
