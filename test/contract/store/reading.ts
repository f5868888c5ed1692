import { describe, expect, it } from 'vitest'
import { type Task, statuses } from '../../../src/domain/task.ts'
import { change } from '../../support/change.ts'
import { aTask, aTaskId, aTaskIdOf, aTime } from '../../support/task.ts'
import type { Bench } from './bench.ts'

/** Lists and counts. */
export function reading(bench: Bench): void {
  describe('reading', () => {
    const several = (fields: readonly Partial<Task>[]): readonly Task[] =>
      fields.map((each, index) =>
        bench.born(aTask({ id: aTaskIdOf(index), createdAt: aTime + index, ...each })),
      )
    const numbers = (tasks: readonly Task[]) => tasks.map(({ createdAt }) => createdAt - aTime)

    it('lists tasks newest first, by status, up to a limit', () => {
      several([{}, { status: 'DRAFT' }, { status: 'APPLIED' }, {}])
      expect(numbers(bench.store.tasks({}))).toEqual([3, 2, 1, 0])
      expect(numbers(bench.store.tasks({ limit: 2 }))).toEqual([3, 2])
      expect(numbers(bench.store.tasks({ statuses: ['PENDING', 'DRAFT'] }))).toEqual([3, 1, 0])
      expect(numbers(bench.store.tasks({ statuses: ['PENDING'], limit: 1 }))).toEqual([3])
      expect(bench.store.tasks({ statuses: [] })).toEqual([])
    })

    it('finds the oldest PENDING task among those that count', () => {
      several([{ status: 'DRAFT' }, {}, {}, {}])
      const [, first, second, third] = [0, 1, 2, 3].map(aTaskIdOf)
      if (first === undefined || second === undefined || third === undefined) throw new Error('four ids')
      expect(bench.store.oldestPending(new Set(), null)?.id).toBe(first)
      expect(bench.store.oldestPending(new Set([first]), null)?.id).toBe(second)
      expect(bench.store.oldestPending(new Set([first]), new Set([first, third]))?.id).toBe(third)
      expect(bench.store.oldestPending(new Set([first, second, third]), null)).toBeNull()
      expect(bench.store.oldestPending(new Set(), new Set())).toBeNull()
    })

    it('finds what is in flight: RUNNING, VALIDATING, or work of a halted step to keep', () => {
      several([
        { status: 'VALIDATING', phase: 'test' },
        { status: 'APPLIED' },
        { status: 'STOPPED', phase: 'salvage' },
        { status: 'STOPPED' },
        { status: 'RUNNING', phase: 'agent' },
        { status: 'PENDING' },
      ])
      expect(numbers(bench.store.inFlight())).toEqual([0, 2, 4])
    })

    it('knows the tasks that have been discarded', () => {
      several([{}, { status: 'STOPPED', delivery: 'discarded' }, { status: 'APPLIED' }])
      expect(bench.store.discarded()).toEqual(new Set([aTaskIdOf(1)]))
    })

    it('counts tasks by status', () => {
      several([{}, {}, { status: 'FAILED' }])
      const none = Object.fromEntries(statuses.map((status) => [status, 0]))
      expect(bench.store.counts()).toEqual({ ...none, PENDING: 2, FAILED: 1 })
    })

    it('pages through events', () => {
      let task = bench.born()
      for (let version = 2; version <= 5; version++) {
        const next = change(task)
        bench.store.write(next)
        task = next.after
      }
      const seqs = (after: number, limit: number) =>
        bench.store.events(aTaskId, after, limit).map(({ seq }) => seq)
      expect(seqs(0, 2)).toEqual([1, 2])
      expect(seqs(2, 100)).toEqual([3, 4, 5])
      expect(seqs(5, 100)).toEqual([])
    })
  })
}
