import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStore } from '../../../control-plane/store/open.ts'
import { birth } from '../../support/change.ts'
import { program, type Program } from '../../support/program.ts'
import { aTask, aTaskId, aTaskIdOf } from '../../support/task.ts'
import { until } from '../../support/until.ts'
import { startChild } from './child.ts'
import { makeHome } from './home.ts'

let writer: Program
let claimer: Program

beforeAll(() => {
  writer = program(new URL('programs/writer.ts', import.meta.url))
  claimer = program(new URL('programs/claimer.ts', import.meta.url))
})
afterAll(() => {
  writer[Symbol.dispose]()
  claimer[Symbol.dispose]()
})

describe('processes', () => {
  it('B11 a writer that is killed again and again loses nothing it was told is written', async () => {
    const home = makeHome()
    for (let kill = 0; kill < 12; kill++) {
      const child = startChild(process.execPath, [writer.file, home.file])
      await child.printed(/\n/)
      await new Promise((resolve) => setTimeout(resolve, 7 * kill))
      await child.kill()
      const told = Number(child.output().trimEnd().split('\n').at(-1))
      const store = openStore(home.file)
      const task = store.task(aTaskId)
      const events = store.events(aTaskId, 0, 1_000_000)
      const points = store.checkpoints(aTaskId)
      store[Symbol.dispose]()
      expect(told).toBeGreaterThan(1)
      expect(task?.version).toBeGreaterThanOrEqual(told)
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
      expect(events).toHaveLength(task?.version ?? 0)
      // One checkpoint per write after the birth; the last one alone is open.
      expect(points).toHaveLength(events.length - 1)
      expect(points.filter(({ state }) => state === 'open')).toEqual(points.slice(-1))
      // Every write charged 1 ms and each heartbeat 3 ms to task and checkpoint at once, or not at all.
      const charged = points.reduce((sum, point) => sum + point.charged, 0)
      expect(task?.spent.ms).toBe(points.length + charged)
    }
    home[Symbol.dispose]()
    // Twelve processes, one after the other, each of which needs seconds to start where the processors are busy.
  }, 180_000)

  it('B07 two processes that claim from one queue get each task once', async () => {
    const home = makeHome()
    let tasks = 0
    const store = openStore(home.file)
    const submit = (more: number): void => {
      for (const until = tasks + more; tasks < until; tasks += 1)
        store.write(birth(aTask({ id: aTaskIdOf(tasks), createdAt: tasks })))
    }
    submit(150)
    const children = [1, 2].map(() => startChild(process.execPath, [claimer.file, home.file]))
    await Promise.all(children.map((child) => child.printed(/ready/)))
    for (const child of children) child.process.stdin.write('begin\n')
    // One of them may have had all before the other one's turn came, so there is always more until both have had some.
    const haveBoth = (): boolean => children.every((child) => child.output().includes('first'))
    await until(() => {
      if (!haveBoth() && store.oldestPending(new Set(), null) === null) submit(10)
      return haveBoth()
    })
    for (const child of children) child.process.stdin.end()
    await Promise.all(children.map((child) => child.ended()))
    const won = children.map((child) => Number(/"won":(\d+)/.exec(child.output())?.[1]))
    expect(Math.min(...won)).toBeGreaterThan(0)
    expect((won[0] ?? 0) + (won[1] ?? 0)).toBe(tasks)
    expect(store.tasks({})).toHaveLength(tasks)
    for (const task of store.tasks({})) {
      expect(task).toMatchObject({ status: 'RUNNING', version: 2, fence: 1 })
      expect(store.events(task.id, 0, 10)).toHaveLength(2)
    }
    store[Symbol.dispose]()
    home[Symbol.dispose]()
  })
})
