import { describe, expect, it } from 'vitest'
import type { TaskFilter } from '../../../src/domain/control-plane.ts'
import { needsPerson } from '../../../src/domain/standing.ts'
import { deliveries, type Task, statuses } from '../../../src/domain/task.ts'
import { anEvent, change } from '../../support/change.ts'
import { aMerge, aPull, aTask, aTaskId, aTaskIdOf, aTime } from '../../support/task.ts'
import { type Bench, present } from './bench.ts'

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

    it('lists by repository and time, and page by page as at once', () => {
      const repository = (name: string) => ({ path: `/r/${name}`, key: name })
      // Two of each millisecond, so that a page may end between them.
      const all = Array.from({ length: 24 }, (_, index) =>
        bench.born(
          aTask({
            id: aTaskIdOf(index * 7),
            createdAt: aTime + Math.floor(index / 2),
            repository: repository(index % 3 === 0 ? 'one' : 'two'),
            status: (['PENDING', 'DRAFT', 'APPLIED', 'BLOCKED'] as const)[index % 4] ?? 'PENDING',
          }),
        ),
      ).toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
      const filters: readonly TaskFilter[] = [
        {},
        { repository: '/r/one' },
        { repository: '/r/none' },
        { statuses: ['DRAFT', 'APPLIED'] },
        { statuses: ['DRAFT', 'DRAFT'], repository: '/r/two' },
        { since: aTime + 3, until: aTime + 9 },
        { statuses: ['PENDING', 'BLOCKED'], since: aTime + 2, until: aTime + 11 },
      ]
      for (const filter of filters) {
        const expected = all.filter(
          ({ status, repository: { path }, createdAt }) =>
            (filter.statuses?.includes(status) ?? true) &&
            path === (filter.repository ?? path) &&
            createdAt >= (filter.since ?? 0) &&
            createdAt < (filter.until ?? Number.MAX_SAFE_INTEGER),
        )
        expect(bench.store.tasks(filter)).toEqual(expected)
        const paged: Task[] = []
        let page = bench.store.tasks({ ...filter, limit: 3 })
        for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
          paged.push(...page)
          page = bench.store.tasks({ ...filter, limit: 3, after: last })
        }
        expect(paged).toEqual(expected)
      }
      expect(bench.store.repositories()).toEqual([
        { path: '/r/one', tasks: 8, lastTaskAt: aTime + 10 },
        { path: '/r/two', tasks: 16, lastTaskAt: aTime + 11 },
      ])
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

    it('lists and counts those that need a person as the domain does, and the others', () => {
      const refused = [null, aMerge(), aMerge({ refusal: 'other' })]
      const fields = [
        ...statuses.map((status) => ({ status })),
        ...statuses.map((status) => ({ status, delivery: 'discarded' as const })),
        ...deliveries.flatMap((delivery) =>
          refused.map((merge) => ({ status: 'APPLIED' as const, delivery, merge })),
        ),
        { status: 'APPLIED' as const, pull: aPull({ refusal: 'foreign' }) },
        ...deliveries.map((delivery) => ({
          status: 'APPLIED' as const,
          delivery,
          pull: aPull({ unfollowed: 'Away.' }),
        })),
      ]
      const all = several(fields).toReversed()
      const needing = all.filter(needsPerson)
      expect(bench.store.tasks({ needsPerson: true })).toEqual(needing)
      expect(bench.store.tasks({ needsPerson: false })).toEqual(all.filter((task) => !needsPerson(task)))
      expect(bench.store.tasks({ needsPerson: false, statuses: ['BLOCKED'] })).toHaveLength(1)
      expect(Object.values(bench.store.needing()).reduce((sum, count) => sum + count, 0)).toBe(needing.length)
    })

    it('counts tasks by status', () => {
      several([{}, {}, { status: 'FAILED' }])
      const none = Object.fromEntries(statuses.map((status) => [status, 0]))
      expect(bench.store.counts()).toEqual({ ...none, PENDING: 2, FAILED: 1 })
    })

    it('knows the version of every task, newest first, page by page', () => {
      const [first, second, third] = several([{}, {}, {}])
      if (first === undefined || second === undefined || third === undefined) throw new Error('three tasks')
      bench.store.write(change(second))
      const page = bench.store.versions(null, 2)
      expect(page).toEqual([
        { id: third.id, createdAt: third.createdAt, version: 1 },
        { id: second.id, createdAt: second.createdAt, version: 2 },
      ])
      const next = bench.store.versions(page[1] ?? null, 2)
      expect(next.map(({ id }) => id)).toEqual([first.id])
      expect(bench.store.versions(next[0] ?? null, 2)).toEqual([])
    })

    it('has the texts of a task, the newest of each kind first', () => {
      const task = bench.born(aTask({ goal: 'Mend it', request: 'Mend', priorFailure: 'exit code 1' }))
      bench.store.write(change(task, {}, { event: { ...anEvent(), text: 'Said.' } }))
      const { pieces, ...own } = present(bench.store.texts(task.id))
      expect(own).toEqual({
        version: 2,
        createdAt: aTime,
        status: 'PENDING',
        repository: '/repositories/example',
      })
      const texts = (kind: string) => pieces.filter((piece) => piece.kind === kind).map(({ text }) => text)
      expect(texts('goal')).toEqual(['Mend it\nMend'])
      expect(texts('people')).toEqual(['Said.'])
      expect(texts('events')).toEqual(['Something happened.'])
      expect(texts('output')).toEqual(['exit code 1'])
      expect(texts('names')[0]).toContain('/repositories/example')
      expect(bench.store.texts(aTaskIdOf(5))).toBeNull()
    })

    it('pages through events', () => {
      let task = bench.born()
      for (let version = 2; version <= 5; version++) {
        const event = version === 4 ? anEvent({ actor: { kind: 'system', id: 'x' } }) : anEvent()
        const next = change(task, {}, { event })
        bench.store.write(next)
        task = next.after
      }
      const seqs = (after: number, limit: number) =>
        bench.store.events(aTaskId, after, limit).map(({ seq }) => seq)
      expect(seqs(0, 2)).toEqual([1, 2])
      expect(seqs(2, 100)).toEqual([3, 4, 5])
      expect(seqs(5, 100)).toEqual([])
      const decided = (limit: number) => bench.store.decisions(aTaskId, limit).map(({ seq }) => seq)
      expect(decided(3)).toEqual([2, 3, 5])
      expect(decided(9)).toEqual([1, 2, 3, 5])
    })
  })
}
