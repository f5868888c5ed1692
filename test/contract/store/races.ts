import { describe, expect, it } from 'vitest'
import { change, claim } from '../../support/change.ts'
import { aSurface } from '../../support/surface.ts'
import { aCheckpoint, aCommitOf, aPerson, aTask, aTaskId, aTaskIdOf, aTime } from '../../support/task.ts'
import { type Bench, beat, everything, present } from './bench.ts'

/** What happens when somebody else was faster. */
export function races(bench: Bench): void {
  describe('a race', () => {
    it('B07 two workers claim at once: one gets the task', () => {
      bench.born()
      const other = bench.another()
      const mine = present(bench.store.oldestPending(new Set(), null))
      const theirs = present(other.oldestPending(new Set(), null))
      expect(bench.store.write(claim(mine, aTime + 1)).kind).toBe('written')
      const now = bench.store.task(aTaskId)
      expect(other.write(claim(theirs, aTime + 2))).toEqual({
        kind: 'lost',
        reason: 'task',
        now,
        surface: null,
      })
      expect(other.task(aTaskId)).toMatchObject({ status: 'RUNNING', fence: 1, leaseUntil: aTime + 1 })
      expect(other.events(aTaskId, 0, 10)).toHaveLength(2)
    })

    it('B07 a report under an old fence is refused and writes nothing', () => {
      const stale = bench.running()
      const requeued = change(stale, { status: 'PENDING', phase: null, leaseUntil: null })
      bench.store.write(requeued)
      bench.store.write(claim(requeued.after, aTime + 60_000))
      const before = everything(bench.store, stale)
      const report = change(
        // The version alone would let it pass.
        { ...stale, version: present(bench.store.task(aTaskId)).version },
        { status: 'VALIDATING', head: aCommitOf('c') },
        { checkpoint: aCheckpoint({ state: 'kept' }), surface: { open: aSurface(), closeAll: true } },
      )
      expect(bench.store.write(report)).toMatchObject({ kind: 'lost', reason: 'task', now: { fence: 2 } })
      expect(bench.store.heartbeat(aTaskId, stale.fence, beat({ chargeMs: 0 }))).toBe(false)
      expect(everything(bench.store, stale)).toEqual(before)
    })

    it.each([
      ['status', { status: 'VALIDATING' }],
      ['version', { version: 1 }],
      ['fence', { fence: 7 }],
      ['id', { id: aTaskIdOf(99) }],
    ] as const)('is lost when the %s is another', (_, different) => {
      const task = bench.running()
      const before = everything(bench.store, task)
      const late = change({ ...task, ...different }, {}, { close: [] })
      const lost = bench.store.write(late)
      expect(lost).toMatchObject({ kind: 'lost', reason: 'task' })
      expect(lost).toHaveProperty('now', 'id' in different ? null : task)
      expect(everything(bench.store, task)).toEqual(before)
    })

    it('approve and reject at the same instant: one wins, the other is told who decided what', () => {
      const draft = bench.born(aTask({ status: 'DRAFT' }), { surface: { open: aSurface() } })
      const approve = { id: 'surface-1', action: 'approve', actor: aPerson, text: null, at: aTime + 1 }
      const reject = {
        ...approve,
        action: 'reject',
        actor: { kind: 'local', id: 'bob' },
        text: 'No.',
      } as const
      expect(
        bench.store.write(change(draft, { status: 'PENDING' }, { surface: { use: approve } })).kind,
      ).toBe('written')
      const after = everything(bench.store, draft)
      expect(
        bench.another().write(change(draft, { status: 'REJECTED' }, { surface: { use: reject } })),
      ).toEqual({
        kind: 'lost',
        reason: 'used',
        now: after.task,
        surface: aSurface({ closedAt: aTime + 1, usedAction: 'approve', usedBy: aPerson }),
      })
      expect(everything(bench.store, draft)).toEqual(after)
    })
  })
}
