import { describe, expect, it } from 'vitest'
import { Failure } from '../../../src/domain/failure.ts'
import { birth, change } from '../../support/change.ts'
import { aTask, aTaskId, aTaskIdOf } from '../../support/task.ts'
import { type Bench, everything } from './bench.ts'

/** Many writes in one transaction. */
export function together(bench: Bench): void {
  describe('writes together', () => {
    const aBirth = (number: number) => birth(aTask({ id: aTaskIdOf(number) }))

    it('are all there, and read each other before', () => {
      const { store } = bench
      const seen: unknown[] = []
      const outcomes = store.together(
        [1, 2, 3].map((number) => () => {
          const { kind } = store.write(aBirth(number))
          seen.push(store.task(aTaskIdOf(number))?.id)
          return kind
        }),
      )
      expect(outcomes).toEqual([1, 2, 3].map(() => ({ status: 'fulfilled', value: 'written' })))
      expect(seen).toEqual([1, 2, 3].map(aTaskIdOf))
      expect(
        bench
          .another()
          .tasks({})
          .map(({ id }) => id),
      ).toEqual(expect.arrayContaining([1, 2, 3].map(aTaskIdOf)))
    })

    it('one that fails takes back what it wrote, and nothing else', () => {
      const { store } = bench
      const running = bench.running()
      const before = everything(store, running)
      const broken = new Error('broken')
      const outcomes = store.together([
        () => store.write(aBirth(1)).kind,
        () => {
          store.write(change(running, { goal: 'Another' }))
          throw broken
        },
        () => store.write(aBirth(3)).kind,
      ])
      expect(outcomes).toEqual([
        { status: 'fulfilled', value: 'written' },
        { status: 'rejected', reason: broken },
        { status: 'fulfilled', value: 'written' },
      ])
      expect(everything(store, running)).toMatchObject({ task: before.task, events: before.events })
      expect([1, 3].map((number) => bench.another().task(aTaskIdOf(number))?.id)).toEqual(
        [1, 3].map(aTaskIdOf),
      )
    })

    it('a full disk takes all of them back, and is thrown', () => {
      const { store } = bench
      const full = new Failure('disk', 'The disk is full.')
      const writes = () =>
        store.together([
          () => store.write(birth(aTask())),
          () => {
            throw full
          },
        ])
      expect(writes).toThrow(full)
      expect(store.task(aTaskId)).toBeNull()
      expect(store.write(birth(aTask())).kind).toBe('written')
    })
  })
}
