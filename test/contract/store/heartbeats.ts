import { describe, expect, it } from 'vitest'
import { type Status, type Task, statuses } from '../../../src/domain/task.ts'
import { change } from '../../support/change.ts'
import { aCheckpoint, aSpent, aTask, aTaskId, aTime } from '../../support/task.ts'
import { type Bench, beat, boxNamed, everything, present } from './bench.ts'

/** Time is charged while a box runs, and never given back. */
export function heartbeats(bench: Bench): void {
  describe('a heartbeat', () => {
    const open = (): Task => {
      const one = change(
        bench.running(),
        { step: 1, attempt: 1 },
        { checkpoint: aCheckpoint({ charged: 10 }) },
      )
      bench.store.write(one)
      return present(bench.store.task(aTaskId))
    }

    it('charges task and checkpoint and extends the lease, without event or version', () => {
      const task = open()
      expect(bench.store.heartbeat(aTaskId, task.fence, beat({ chargeMs: 250 }))).toBe(true)
      expect(bench.store.heartbeat(aTaskId, task.fence, beat({ chargeMs: 50, leaseUntil: aTime + 9 }))).toBe(
        true,
      )
      expect(bench.store.task(aTaskId)).toEqual({
        ...task,
        spent: aSpent({ steps: 0, ms: 300 }),
        leaseUntil: aTime + 9,
      })
      expect(bench.store.openCheckpoint(aTaskId)?.charged).toBe(310)
      expect(bench.store.events(aTaskId, 0, 10)).toHaveLength(3)
    })

    const working: readonly Status[] = ['RUNNING', 'VALIDATING']

    it.each(working)('counts where something is under way: %s', (status) => {
      bench.born(aTask({ status, fence: 1 }), { checkpoint: aCheckpoint() })
      expect(bench.store.heartbeat(aTaskId, 1, beat({ chargeMs: 5 }))).toBe(true)
      expect(bench.store.task(aTaskId)?.spent.ms).toBe(5)
    })

    it.each(statuses.filter((status) => !working.includes(status)))('writes nothing when %s', (status) => {
      bench.born(aTask({ status, fence: 1 }), { checkpoint: aCheckpoint() })
      const before = everything(bench.store, aTask())
      expect(bench.store.heartbeat(aTaskId, 1, beat({ chargeMs: 5 }))).toBe(false)
      expect(everything(bench.store, aTask())).toEqual(before)
    })

    it.each([
      ['an old fence', 0, { chargeMs: 5 }],
      ['another step', 1, { chargeMs: 5, step: 2 }],
      ['another attempt', 1, { chargeMs: 5, attempt: 2 }],
    ])('with %s writes nothing', (_, fence, different) => {
      const before = everything(bench.store, open())
      expect(bench.store.heartbeat(aTaskId, fence, beat(different))).toBe(false)
      expect(everything(bench.store, aTask())).toEqual(before)
    })

    it('charges nothing to a checkpoint that has ended, but may extend the lease', () => {
      const task = open()
      const ended = change(task, {}, { checkpoint: aCheckpoint({ charged: 10, state: 'kept' }) })
      bench.store.write(ended)
      expect(bench.store.heartbeat(aTaskId, task.fence, beat({ chargeMs: 5 }))).toBe(false)
      expect(bench.store.heartbeat(aTaskId, task.fence, beat({ chargeMs: 0, leaseUntil: aTime + 9 }))).toBe(
        true,
      )
      expect(bench.store.task(aTaskId)).toEqual({ ...ended.after, leaseUntil: aTime + 9 })
    })

    it('is not undone by a write of somebody who read before it', () => {
      const read = open()
      bench.store.heartbeat(aTaskId, read.fence, beat({ chargeMs: 300, leaseUntil: aTime + 99_000 }))
      const late = change(
        read,
        { spent: aSpent({ steps: 1, ms: read.spent.ms + 20 }) },
        { checkpoint: aCheckpoint({ charged: 30 }) },
      )
      const task = { ...late.after, spent: aSpent({ steps: 1, ms: 320 }), leaseUntil: aTime + 99_000 }
      expect(bench.store.write(late)).toEqual({ kind: 'written', task })
      expect(bench.store.task(aTaskId)).toEqual(task)
      expect(bench.store.openCheckpoint(aTaskId)?.charged).toBe(310)
    })

    it('stays out of the way of a lease that is set or ended', () => {
      const read = open()
      bench.store.heartbeat(aTaskId, read.fence, beat({ chargeMs: 0, leaseUntil: aTime + 99_000 }))
      const requeued = change(read, { status: 'PENDING', leaseUntil: null })
      bench.store.write(requeued)
      expect(bench.store.task(aTaskId)?.leaseUntil).toBeNull()
    })

    it('is forgotten by a box of another name, which starts from the charge it is given', () => {
      const named = (name: string, charged: number) => ({
        ...aCheckpoint({ charged }),
        box: boxNamed(name),
      })
      const agent = change(bench.running(), {}, { checkpoint: named('agent', 0) })
      bench.store.write(agent)
      bench.store.heartbeat(aTaskId, 1, beat({ chargeMs: 700 }))
      const same = change(agent.after, {}, { checkpoint: named('agent', 0) })
      bench.store.write(same)
      expect(bench.store.openCheckpoint(aTaskId)?.charged).toBe(700)
      bench.store.write(change(same.after, {}, { checkpoint: named('test', 0) }))
      expect(bench.store.openCheckpoint(aTaskId)?.charged).toBe(0)
      expect(bench.store.task(aTaskId)?.spent.ms).toBe(700)
    })
  })
}
