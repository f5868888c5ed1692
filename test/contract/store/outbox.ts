import { describe, expect, it } from 'vitest'
import { change } from '../../support/change.ts'
import { aDestination, upTo, writeTasks } from '../../support/letters.ts'
import { lettersOf } from '../../../src/domain/outbox/write.ts'
import { aPerson, aTask, aTaskIdOf, aTime } from '../../support/task.ts'
import { type Bench, present } from './bench.ts'

const lease = 30_000

/** Letters: written with their event, and one at a time for each destination. */
export function outbox(bench: Bench): void {
  const claim = (destination: string, now = aTime) => bench.store.outbox.claim(destination, now, lease)
  const end = (body: string, now = aTime) => {
    const letter = present(claim('a', now))
    expect(letter.body).toBe(body)
    expect(
      bench.store.outbox.move(letter, { ...letter, state: 'sent', leaseUntil: null, endedAt: now }),
    ).toBe(true)
  }

  describe('the outbox', () => {
    it('gets its letters with the event that they tell of, or not at all', () => {
      const task = bench.born(aTask())
      const letters = lettersOf.bind(null, [aDestination('a'), aDestination('b')])
      expect(bench.store.write(change({ ...task, version: 7 }, {}, { letters })).kind).toBe('lost')
      const failing = (): never => {
        throw new Error('no letter today')
      }
      expect(() => bench.store.write(change(task, {}, { letters: failing }))).toThrow('no letter today')
      expect([bench.store.outbox.letters({}), bench.store.task(task.id)?.version]).toEqual([[], 1])
      bench.store.write(change(task, {}, { letters }))
      expect(
        bench.store.outbox.letters({}).map(({ destination, event, state }) => [destination, event, state]),
      ).toEqual([
        ['b', 2, 'waiting'],
        ['a', 2, 'waiting'],
      ])
    })

    it('hands them out in order, one at a time for each destination', () => {
      writeTasks(bench.store, ['a', 'b'], upTo(3))
      const first = present(claim('a'))
      expect(first).toMatchObject({ body: '1', state: 'sending', attempts: 1, fence: 1 })
      expect(first.leaseUntil).toBe(aTime + lease)
      expect(claim('a')).toBeNull()
      expect(claim('b')?.body).toBe('1')
      bench.store.outbox.move(first, { ...first, state: 'sent', leaseUntil: null, endedAt: aTime })
      end('2')
      end('3')
      expect([claim('a'), bench.store.outbox.dueAt('a'), bench.store.outbox.open()]).toEqual([
        null,
        null,
        ['b'],
      ])
    })

    it('lets nobody pass one that waits for its next attempt', () => {
      writeTasks(bench.store, ['a'], upTo(2))
      const first = present(claim('a'))
      const nextAt = aTime + 5000
      bench.store.outbox.move(first, { ...first, state: 'waiting', error: 'No.', nextAt, leaseUntil: null })
      expect([claim('a', nextAt - 1), bench.store.outbox.dueAt('a')]).toEqual([null, nextAt])
      expect(claim('a', nextAt)).toMatchObject({ body: '1', attempts: 2, fence: 2, error: 'No.' })
    })

    it('goes on behind one that is dead, which takes its old place when it is tried again', () => {
      writeTasks(bench.store, ['a'], upTo(3))
      const first = present(claim('a'))
      const dead = { ...first, state: 'dead', error: 'No.', leaseUntil: null, endedAt: aTime } as const
      bench.store.outbox.move(first, dead)
      end('2')
      const again = { ...dead, state: 'waiting', attempts: 0, endedAt: null, actor: aPerson } as const
      expect(bench.store.outbox.move(dead, again)).toBe(true)
      expect(bench.store.outbox.letter(first.id)).toEqual(again)
      end('1')
      end('3')
    })

    it('B07 gives one whose lease is over to another, and what comes under the old fence is not written', () => {
      writeTasks(bench.store, ['a'], upTo(1))
      const old = present(claim('a'))
      expect(claim('a', aTime + lease - 1)).toBeNull()
      const other = bench.another()
      const taken = present(other.outbox.claim('a', aTime + lease, lease))
      expect([taken.id, taken.fence, taken.attempts]).toEqual([old.id, 2, 2])
      expect(bench.store.outbox.move(old, { ...old, state: 'dead', error: 'Late.' })).toBe(false)
      expect(bench.store.outbox.letter(old.id)).toEqual(taken)
      expect(other.outbox.move(taken, { ...taken, state: 'sent' })).toBe(true)
      expect(other.outbox.move(taken, { ...taken, state: 'sent' })).toBe(false)
    })

    it('does not wait for a time that only a wrong clock can have meant', () => {
      writeTasks(bench.store, ['a'], upTo(1), aTime + 365 * 24 * 3_600_000)
      expect(claim('a')?.body).toBe('1')
    })

    it('gives up all that waits for a destination, and nothing else', () => {
      writeTasks(bench.store, ['a', 'b'], upTo(3))
      present(claim('a'))
      expect(bench.store.outbox.giveUp('a', 'Gone.', aTime)).toBe(2)
      expect(
        bench.store.outbox.letters({ destination: 'a' }).map(({ state, error }) => [state, error]),
      ).toEqual([
        ['dead', 'Gone.'],
        ['dead', 'Gone.'],
        ['sending', null],
      ])
      expect(bench.store.outbox.letters({ states: ['waiting'] })).toHaveLength(3)
    })

    it('tells how much has not arrived, and since when', () => {
      const nothing = { waiting: 0, oldestAt: null, dead: 0 }
      expect(bench.store.outbox.standing()).toEqual(nothing)
      writeTasks(bench.store, ['a', 'b'], upTo(2))
      present(claim('a'))
      expect(bench.store.outbox.standing()).toEqual({ waiting: 4, oldestAt: aTime, dead: 0 })
      bench.store.outbox.giveUp('b', 'Gone.', aTime)
      expect(bench.store.outbox.standing()).toEqual({ waiting: 2, oldestAt: aTime, dead: 2 })
    })

    it('is listed newest first, by state, destination and task, page by page', () => {
      writeTasks(bench.store, ['a', 'b'], upTo(3))
      const bodies = (...args: Parameters<typeof bench.store.outbox.letters>) =>
        bench.store.outbox.letters(...args).map(({ body, destination }) => `${body}${destination}`)
      expect(bodies({})).toEqual(['3b', '3a', '2b', '2a', '1b', '1a'])
      expect(bodies({ destination: 'b', limit: 2 })).toEqual(['3b', '2b'])
      expect(bodies({ task: aTaskIdOf(2) })).toEqual(['2b', '2a'])
      const page = bench.store.outbox.letters({ limit: 4 })
      expect(bodies({ before: present(page.at(-1) ?? null).seq })).toEqual(['1b', '1a'])
      present(claim('a'))
      expect(bodies({ states: ['sending', 'dead'] })).toEqual(['1a'])
    })

    it('forgets what was sent long ago, and no dead letter', () => {
      writeTasks(bench.store, ['a'], upTo(3))
      end('1')
      const second = present(claim('a'))
      bench.store.outbox.move(second, { ...second, state: 'dead', endedAt: aTime })
      expect(bench.store.outbox.forget(aTime)).toBe(0)
      expect(bench.store.outbox.forget(aTime + 1)).toBe(1)
      expect(bench.store.outbox.letters({}).map(({ body, state }) => [body, state])).toEqual([
        ['3', 'waiting'],
        ['2', 'dead'],
      ])
    })
  })
}
