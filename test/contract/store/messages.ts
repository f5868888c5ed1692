import { describe, expect, it } from 'vitest'
import type { SentMessage } from '../../../src/domain/outbox/messages.ts'
import { change } from '../../support/change.ts'
import { aTask, aTaskId, aTaskIdOf } from '../../support/task.ts'
import type { Bench } from './bench.ts'

const here = 'discord:1'

function aMessage(kind: string, overrides: Partial<SentMessage> = {}): SentMessage {
  return {
    destination: here,
    taskId: aTaskId,
    kind,
    channel: '10',
    message: '20',
    shown: 1,
    revision: 1,
    settled: true,
    ...overrides,
  }
}

/** What destinations have sent. */
export function messages(bench: Bench): void {
  describe('messages', () => {
    it('are found by what they are, also by another process; a later one of a kind takes the place', () => {
      bench.born()
      const { messages: book } = bench.store
      book.put(aMessage('status'))
      book.put(aMessage('status', { message: '21', shown: 2 }))
      const found = aMessage('status', { message: '21', shown: 2 })
      expect(bench.another().messages.find(here, aTaskId, 'status')).toEqual(found)
      expect(book.find('discord:2', aTaskId, 'status')).toBeNull()
      expect([book.taskOf(here, '21'), book.taskOf(here, '20'), book.taskOf('discord:2', '21')]).toEqual([
        aTaskId,
        null,
        null,
      ])
    })

    it('in the thread of several questions are about the newest of them', () => {
      bench.born(aTask({ id: aTaskIdOf(3), createdAt: 3 }))
      bench.born(aTask({ id: aTaskIdOf(1), createdAt: 9 }))
      bench.born(aTask({ id: aTaskIdOf(2), createdAt: 6 }))
      bench.born(aTask({ id: aTaskIdOf(4), createdAt: 10 }))
      const { messages: book } = bench.store
      for (const number of [1, 2, 3]) book.put(aMessage('thread', { taskId: aTaskIdOf(number) }))
      book.put(aMessage('status', { taskId: aTaskIdOf(3) }))
      book.put(aMessage('heard', { taskId: aTaskIdOf(4), message: '20' }))
      expect(book.taskOf(here, '20')).toBe(aTaskIdOf(1))
      expect(book.tasksOf(here, '20')).toEqual([1, 2, 3].map(aTaskIdOf))
      expect([book.tasksOf(here, '21'), book.tasksOf('discord:2', '20')]).toEqual([[], []])
    })

    it('are forgotten by task and kind; a thread tells its task also without its status message', () => {
      bench.born()
      bench.born(aTask({ id: aTaskIdOf(2) }))
      const { messages: book } = bench.store
      const put = (): void => {
        for (const kind of ['status', 'thread', 'news:3']) {
          book.put(aMessage(kind))
          book.put(aMessage(kind, { taskId: aTaskIdOf(2), message: '22' }))
        }
      }
      const left = (): readonly string[] =>
        [aTaskId, aTaskIdOf(2)].flatMap((id) =>
          ['status', 'thread', 'news:3'].filter((kind) => book.find(here, id, kind) !== null),
        )
      put()
      book.forget(here, { taskId: aTaskId, kind: 'status' })
      expect(left()).toEqual(['thread', 'news:3', 'status', 'thread', 'news:3'])
      expect(book.taskOf(here, '20')).toBe(aTaskId)
      book.forget(here, { kind: 'news:3' })
      expect(left()).toEqual(['thread', 'status', 'thread'])
      book.forget('discord:2', {})
      book.forget(here, { taskId: aTaskIdOf(2) })
      expect(left()).toEqual(['thread'])
      put()
      book.forget(here, {})
      expect(left()).toEqual([])
    })

    it('that still offer something are told apart, in the order of their events', () => {
      bench.born()
      const { messages: book } = bench.store
      for (const seq of [10, 9, 2]) book.put(aMessage(`decision:${seq}`, { settled: seq === 2 }))
      expect(book.unsettled(here, aTaskId).map(({ kind }) => kind)).toEqual(['decision:9', 'decision:10'])
      expect(book.newest(here, aTaskId, 'decision:')?.kind).toBe('decision:10')
      expect(book.newest(here, aTaskId, 'news:')).toBeNull()
    })

    it('that show an older version of their task are named', () => {
      const task = bench.born()
      const { messages: book } = bench.store
      book.put(aMessage('status', { shown: task.version }))
      expect(book.behind(here)).toEqual([])
      bench.store.write(change(task))
      expect([book.behind(here), book.behind('discord:2')]).toEqual([[aTaskId], []])
    })

    it('that offer what is over are named too, once', () => {
      const task = bench.born(aTask({ status: 'DRAFT' }))
      const { messages: book } = bench.store
      book.put(aMessage('status', { shown: 99 }))
      book.put(aMessage('decision:1', { settled: false }))
      expect(book.behind(here)).toEqual([])
      bench.store.write(change(task, { revision: 2 }))
      book.put(aMessage('decision:2', { settled: false, revision: 2 }))
      expect(book.behind(here)).toEqual([aTaskId])
      book.put(aMessage('decision:1', { settled: true }))
      expect(book.behind(here)).toEqual([])
      bench.store.write(change(bench.store.task(aTaskId) ?? task, { status: 'REJECTED' }))
      expect(book.behind(here)).toEqual([aTaskId])
    })

    it('of no task there are none', () => {
      bench.born()
      expect(() => bench.store.messages.put(aMessage('status', { taskId: aTaskIdOf(9) }))).toThrow(
        /FOREIGN KEY|cannot/,
      )
    })
  })
}
