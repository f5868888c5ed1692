import { describe, expect, it } from 'vitest'
import { commentsIn, reviewsIn } from '../../src/dashboard/task/comments.ts'
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

  it('are not those of a review that was withdrawn, also where a request had repeated them', () => {
    const events = [
      event('reviewed', [first]),
      { ...event('reviewed', [second]), seq: 2, data: { text: 'All of it.', comments: [second] } },
      event('superseded', [first, second]),
      { ...event('review_withdrawn', undefined), seq: 4, data: { review: 1 } },
    ]
    expect(commentsIn(events)).toEqual([{ ...second, by: 'ada' }])
    expect(reviewsIn(events)).toEqual([
      {
        seq: 2,
        by: { kind: 'token', id: 'ada' },
        text: 'All of it.',
        comments: [{ ...second, by: 'ada' }],
      },
    ])
  })

  it.each([[undefined], ['text'], [[null, 1, { path: 'a' }, { path: 'a', line: '3', text: 'x' }]]])(
    'are none in %j',
    (comments) => expect(commentsIn([event('reviewed', comments)])).toEqual([]),
  )
})
