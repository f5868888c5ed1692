import { describe, expect, it } from 'vitest'
import type { Checkpoint } from '../../../src/domain/task.ts'
import { change } from '../../support/change.ts'
import { aCheckpoint, aTask, aTaskId, aTaskIdOf } from '../../support/task.ts'
import { type Bench, boxNamed, everything, present } from './bench.ts'

/** Checkpoints: what each try at a step left. */
export function checkpoints(bench: Bench): void {
  describe('checkpoints', () => {
    it('are made, replaced as a whole, and read in order', () => {
      const first = aCheckpoint({ step: 1, attempt: 1, instruction: 'Look closer', endedAt: 5 })
      const one = change(bench.running(), {}, { checkpoint: first })
      bench.store.write(one)
      const dropped = aCheckpoint({ ...first, state: 'dropped', instruction: null })
      const second = aCheckpoint({ step: 1, attempt: 2 })
      bench.store.write(change(one.after, {}, { close: [dropped], checkpoint: second }))
      expect(bench.store.checkpoints(aTaskId)).toEqual([dropped, second])
      expect(bench.store.openCheckpoint(aTaskId)).toEqual(second)
      expect(bench.store.checkpoints(aTaskIdOf(1))).toEqual([])
      const later = aCheckpoint({ step: 2 })
      const three = change(
        { ...one.after, version: 4 },
        {},
        { close: [{ ...second, state: 'kept' }], checkpoint: later },
      )
      expect(bench.store.write(three).kind).toBe('written')
      expect(bench.store.checkpoints(aTaskId, 2)).toEqual([later])
      expect(bench.store.checkpoints(aTaskId, 1)).toHaveLength(3)
    })

    it('keep each its box: the same one, another one, and one that was taken back', () => {
      const agent = aCheckpoint({ box: boxNamed('agent') })
      const one = change(bench.running(), {}, { checkpoint: agent })
      bench.store.write(one)
      const read = present(bench.store.openCheckpoint(aTaskId))
      expect(read).toEqual(agent)
      const two = change(one.after, {}, { checkpoint: { ...read, instruction: 'Look' } })
      bench.store.write(two)
      expect(bench.another().openCheckpoint(aTaskId)).toEqual({ ...agent, instruction: 'Look' })
      // A second open checkpoint: nothing of it is there, not even its box.
      const lost = boxNamed('lost')
      const refused = change(two.after, {}, { checkpoint: aCheckpoint({ step: 2, box: lost }) })
      expect(() => bench.store.write(refused)).toThrow(/UNIQUE/)
      const others = ['test', 'setup'].map((name, index) =>
        aCheckpoint({ step: 3 + index, state: 'kept', box: boxNamed(name) }),
      )
      const again = aCheckpoint({ step: 5, state: 'kept', box: lost })
      bench.store.write(change(two.after, {}, { close: others, checkpoint: again }))
      expect(bench.store.checkpoints(aTaskId, 3)).toEqual([...others, again])
      expect(bench.another().checkpoints(aTaskId, 3)).toEqual([...others, again])
    })

    it('cannot be open twice: nothing of such a change is written', () => {
      const one = change(bench.running(), {}, { checkpoint: aCheckpoint() })
      bench.store.write(one)
      const before = everything(bench.store, one.after)
      const two = change(one.after, { step: 2 }, { checkpoint: aCheckpoint({ step: 2 }) })
      expect(() => bench.store.write(two)).toThrow(/UNIQUE/)
      expect(everything(bench.store, one.after)).toEqual(before)
    })

    it('that are open name the boxes that somebody owns', () => {
      const point = (number: number, fields: Partial<Checkpoint>) => {
        const id = aTaskIdOf(number)
        bench.born(aTask({ id }), {
          checkpoint: aCheckpoint({ taskId: id, box: boxNamed(`box-${number}`), ...fields }),
        })
      }
      point(1, {})
      point(2, { state: 'kept' })
      point(3, { box: null })
      point(4, {})
      expect(new Set(bench.store.openBoxes())).toEqual(new Set(['box-1', 'box-4']))
    })

    it('of another task make a change nonsense', () => {
      const checkpoint = aCheckpoint({ taskId: aTaskIdOf(5) })
      expect(() => bench.store.write(change(bench.running(), {}, { checkpoint }))).toThrow('another task')
    })
  })
}
