import { describe, expect, it } from 'vitest'
import type { Surface } from '../../../control-plane/store/store.ts'
import type { Task } from '../../../src/domain/task.ts'
import { change } from '../../support/change.ts'
import { aSurface } from '../../support/surface.ts'
import { aPerson, aTask, aTaskId, aTaskIdOf, aTime } from '../../support/task.ts'
import { type Bench, everything } from './bench.ts'

/** Decisions: a surface is good for one use. */
export function surfaces(bench: Bench): void {
  describe('a surface', () => {
    const use = { id: 'surface-1', action: 'approve', actor: aPerson, text: 'Go on.', at: aTime + 1 }

    it.each<
      [Exclude<Surface['usedAction'], null>, Partial<Surface> | null, Partial<typeof use>, Partial<Task>]
    >([
      ['unknown', {}, { id: 'surface-2' }, {}],
      ['unknown', null, {}, {}],
      ['expired', { expiresAt: aTime + 1 }, {}, {}],
      ['stale', {}, {}, { revision: 2 }],
      ['not_offered', {}, { action: 'merge' }, {}],
    ])('is not used when %s', (reason, surface, different, seen) => {
      const draft = bench.born(
        aTask({ status: 'DRAFT' }),
        surface === null ? {} : { surface: { open: aSurface(surface) } },
      )
      const before = everything(bench.store, draft)
      const lost = bench.store.write(
        change({ ...draft, ...seen }, { status: 'PENDING' }, { surface: { use: { ...use, ...different } } }),
      )
      expect(lost).toEqual({
        kind: 'lost',
        reason,
        now: draft,
        surface: reason === 'unknown' ? null : aSurface(surface ?? {}),
      })
      expect(everything(bench.store, draft)).toEqual(before)
    })

    it('of another task is unknown', () => {
      bench.born(aTask({ status: 'DRAFT' }), { surface: { open: aSurface() } })
      const other = bench.born(aTask({ id: aTaskIdOf(1), status: 'DRAFT' }))
      const lost = bench.store.write(change(other, { status: 'PENDING' }, { surface: { use } }))
      expect(lost).toMatchObject({ kind: 'lost', reason: 'unknown', surface: null })
    })

    it('is not used when the task has moved on, and stays open', () => {
      const draft = bench.born(aTask({ status: 'DRAFT' }), { surface: { open: aSurface() } })
      bench.store.write(change(draft, { status: 'DRAFT' }))
      const lost = bench.store.write(change(draft, { status: 'PENDING' }, { surface: { use } }))
      expect(lost).toMatchObject({ kind: 'lost', reason: 'task' })
      expect(bench.store.openSurface(aTaskId)).toEqual(aSurface())
    })

    it('is closed by closeAll, and then says so', () => {
      const draft = bench.born(aTask({ status: 'DRAFT' }), { surface: { open: aSurface() } })
      const stopped = change(draft, { status: 'STOPPED' }, { surface: { closeAll: true } })
      bench.store.write(stopped)
      expect(bench.store.openSurface(aTaskId)).toBeNull()
      const late = bench.store.write(change(stopped.after, { status: 'PENDING' }, { surface: { use } }))
      expect(late).toMatchObject({
        kind: 'lost',
        reason: 'closed',
        surface: { closedAt: 1_000, usedAction: null },
      })
    })

    it('is replaced when a suggestion raises the revision: used, others closed, a new one opened', () => {
      const draft = bench.born(aTask({ status: 'DRAFT' }), {
        surface: { open: aSurface({ actions: ['suggest'] }) },
      })
      const second = change(draft, {}, { surface: { open: aSurface({ id: 'also', actions: [] }) } })
      bench.store.write(second)
      const open = aSurface({ id: 'new', revision: 2 })
      const suggested = change(
        second.after,
        { revision: 2 },
        { surface: { use: { ...use, action: 'suggest' }, open } },
      )
      expect(bench.store.write(suggested).kind).toBe('written')
      expect(bench.store.openSurface(aTaskId)).toEqual(open)
      const again = (id: string) =>
        bench.store.write(change(suggested.after, {}, { surface: { use: { ...use, id } } }))
      expect(again('surface-1')).toMatchObject({
        reason: 'used',
        surface: { text: 'Go on.', usedBy: aPerson },
      })
      expect(again('also')).toMatchObject({ reason: 'closed' })
    })

    it('that was used last is the last decision', () => {
      const draft = bench.born(aTask({ status: 'DRAFT' }), { surface: { open: aSurface() } })
      expect(bench.store.lastDecision(aTaskId)).toBeNull()
      const used = change(draft, {}, { surface: { use, open: aSurface({ id: 'open' }) } })
      bench.store.write(used)
      expect(bench.store.lastDecision(aTaskId)).toMatchObject({ id: 'surface-1', usedBy: aPerson })
      bench.store.write(change(used.after, {}, { surface: { use: { ...use, id: 'open', at: aTime + 2 } } }))
      expect(bench.store.lastDecision(aTaskId)).toMatchObject({ id: 'open', text: 'Go on.' })
      expect(bench.store.lastDecision(aTaskIdOf(1))).toBeNull()
    })

    it('is listed newest first, also when closed, and with its own task alone', () => {
      const draft = bench.born(aTask({ status: 'DRAFT' }), { surface: { open: aSurface() } })
      bench.born(aTask({ id: aTaskIdOf(1) }), {
        surface: { open: aSurface({ id: 'other', taskId: aTaskIdOf(1) }) },
      })
      const later = aSurface({ id: 'later', revision: 2, openedAt: aTime + 1 })
      bench.store.write(change(draft, { revision: 2 }, { surface: { use, open: later } }))
      expect(bench.store.surfaces(aTaskId)).toEqual([
        later,
        aSurface({ closedAt: use.at, usedAction: 'approve', usedBy: aPerson, text: 'Go on.' }),
      ])
      expect(bench.store.surfaces(aTaskIdOf(2))).toEqual([])
    })

    it('is the newest one where several are open', () => {
      const draft = bench.born(aTask({ status: 'DRAFT' }), { surface: { open: aSurface() } })
      bench.store.write(
        change(draft, {}, { surface: { open: aSurface({ id: 'later', openedAt: aTime + 1 }) } }),
      )
      expect(bench.store.openSurface(aTaskId)?.id).toBe('later')
    })
  })
}
