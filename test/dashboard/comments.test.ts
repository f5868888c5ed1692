import { describe, expect, it } from 'vitest'
import { commentsIn } from '../../src/dashboard/task/comments.ts'
import type { TaskEvent } from '../../src/domain/task.ts'
import { aTaskIdOf } from '../support/task.ts'

const event = (type: string, comments: unknown): TaskEvent => ({
  taskId: aTaskIdOf(1),
  seq: 1,
  at: 0,
  type,
  actor: { kind: 'token', id: 'ada' },
  from: 'APPLIED',
  to: 'APPLIED',
  step: 1,
  attempt: 1,
  fence: 1,
  text: '',
  data: { comments },
})
const first = { path: 'a.txt', line: 3, text: 'Round it' }
const second = { path: 'b.txt', line: null, text: 'Why?' }

describe('comments on record', () => {
  it('are those of all reviews, once each, though a request for changes repeats them', () => {
    const events = [event('reviewed', [first]), event('superseded', [first, second])]
    expect(commentsIn(events)).toEqual([
      { ...first, by: 'ada' },
      { ...second, by: 'ada' },
    ])
  })

  it.each([[undefined], ['text'], [[null, 1, { path: 'a' }, { path: 'a', line: '3', text: 'x' }]]])(
    'are none in %j',
    (comments) => expect(commentsIn([event('reviewed', comments)])).toEqual([]),
  )
})
