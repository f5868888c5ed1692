import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Checkpoint } from '../../../src/domain/task.ts'
import { anyCheckpoint, anyTask } from '../../support/arbitrary.ts'
import { anEvent, birth, change } from '../../support/change.ts'
import { aPerson, aPolicy, aTask, aTaskId, aTaskIdOf, aTime } from '../../support/task.ts'
import { type Bench, beat, everything } from './bench.ts'

/** What is stored about a task, and that it stays. */
export function tasks(bench: Bench): void {
  describe('a task', () => {
    it('is born with its first event', () => {
      expect(bench.store.task(aTaskId)).toBeNull()
      expect(bench.store.write(birth(aTask()))).toEqual({ kind: 'written', task: aTask() })
      expect(bench.store.task(aTaskId)).toEqual(aTask())
      expect(bench.store.events(aTaskId, 0, 10)).toEqual([
        {
          taskId: aTaskId,
          seq: 1,
          at: 1_000,
          type: 'submitted',
          actor: aPerson,
          from: null,
          to: 'PENDING',
          step: 0,
          attempt: 0,
          fence: 0,
          text: 'Something happened.',
          data: {},
        },
      ])
    })

    it('does not take the id of another', () => {
      const first = bench.born()
      const before = everything(bench.store, first)
      expect(bench.store.write(birth(aTask({ goal: 'Another' })))).toEqual({
        kind: 'lost',
        reason: 'task',
        now: first,
        surface: null,
      })
      expect(everything(bench.store, first)).toEqual(before)
    })

    it('records in its events where it was and where it is', () => {
      const task = bench.running()
      bench.store.write(
        change(task, { status: 'BLOCKED', step: 2, attempt: 3 }, { event: anEvent({ data: { a: [1] } }) }),
      )
      const event = bench.store.events(aTaskId, 2, 10)[0]
      expect(event).toMatchObject({ seq: 3, from: 'RUNNING', to: 'BLOCKED', step: 2, attempt: 3, fence: 1 })
      expect(event?.data).toEqual({ a: [1] })
    })

    it('has with each write one version and one event of that number', () => {
      const task = bench.running()
      const written = bench.store.write(change(task, { phase: 'agent' }))
      expect(written).toEqual({ kind: 'written', task: { ...task, phase: 'agent', version: 3 } })
      expect(bench.store.events(aTaskId, 0, 10).map(({ seq }) => seq)).toEqual([1, 2, 3])
    })

    it('is read as another opening has left it, also where that was no new version', () => {
      const task = bench.running()
      const other = bench.another()
      expect(other.task(aTaskId)).toEqual(task)
      bench.store.heartbeat(aTaskId, task.fence, beat({ leaseUntil: aTime + 7 }))
      expect(other.task(aTaskId)).toEqual({ ...task, leaseUntil: aTime + 7 })
      const next = change(task, { goal: 'Another', leaseUntil: aTime + 9 })
      other.write(next)
      expect(bench.store.task(aTaskId)).toEqual(next.after)
    })

    it('keeps its policy, whatever the policies of other tasks are', () => {
      const [one, two] = ['one', 'two'].map((path) => aPolicy({ deny: [path] }))
      const tasks = [one, two, aPolicy({ deny: ['one'] })].map((policy = aPolicy(), index) =>
        bench.born(aTask({ id: aTaskIdOf(index), policy })),
      )
      for (const task of tasks) {
        expect(bench.store.task(task.id)).toEqual(task)
        expect(bench.another().task(task.id)).toEqual(task)
      }
      const [task] = tasks
      if (task === undefined) throw new Error('three tasks')
      const granted = change(task, { policy: aPolicy({ deny: [] }) })
      bench.store.write(granted)
      expect(bench.another().task(task.id)).toEqual(granted.after)
    })

    it('B11 survives close and reopen with its events and checkpoints, whatever it holds', () => {
      fc.assert(
        fc.property(fc.nat(2 ** 30), anyTask, anyCheckpoint, (number, fields, point) => {
          const task = aTask({ ...fields, id: aTaskIdOf(number) })
          const checkpoint: Checkpoint = { ...point, taskId: task.id }
          const event = anEvent({
            text: task.goal,
            data: { said: task.request, list: [1, null, { a: true }] },
          })
          fc.pre(bench.store.task(task.id) === null)
          bench.store.write({ before: null, after: task, event, checkpoint })
          const reopened = bench.another()
          expect(reopened.task(task.id)).toEqual(task)
          expect(reopened.checkpoints(task.id)).toEqual([checkpoint])
          expect(reopened.openCheckpoint(task.id)).toEqual(checkpoint.state === 'open' ? checkpoint : null)
          expect(reopened.events(task.id, 0, 10)).toMatchObject([{ ...event, seq: 1, to: task.status }])
          reopened[Symbol.dispose]()
        }),
        { numRuns: 60 },
      )
    })
  })
}
