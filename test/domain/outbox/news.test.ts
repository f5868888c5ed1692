import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { letterId } from '../../../src/domain/outbox/letter.ts'
import { newsOf, newsTypeOf, newsTypes, usualNews } from '../../../src/domain/outbox/news.ts'
import { statuses, type Status } from '../../../src/domain/task.ts'
import { aTaskEvent } from '../../support/letters.ts'
import { aTask, aTaskId, aTaskIdOf, aTime } from '../../support/task.ts'

const event = (type: string, from: Status | null, to: Status, text = 'It happened.') =>
  aTaskEvent({ type, from, to, text })

describe('news', () => {
  it.each<[string, Status | null, Status, string | null]>([
    ['submitted', null, 'DRAFT', 'task.draft'],
    ['submitted', null, 'PENDING', 'task.pending'],
    ['suggested', 'DRAFT', 'DRAFT', 'task.draft'],
    ['suggested', 'BLOCKED', 'PENDING', 'task.pending'],
    ['steered', 'RUNNING', 'RUNNING', null],
    ['handed_over', 'VALIDATING', 'APPLIED', 'task.applied'],
    ['discarded', 'FAILED', 'FAILED', 'task.discarded'],
    ['merge_decided', 'APPLIED', 'APPLIED', null],
    ['merged', 'APPLIED', 'APPLIED', 'task.merged'],
    ['merge_refused', 'APPLIED', 'APPLIED', 'task.unmerged'],
    ['undone', 'APPLIED', 'APPLIED', 'task.undone'],
    ['undo_refused', 'APPLIED', 'APPLIED', 'task.undo_refused'],
    ['pull_decided', 'APPLIED', 'APPLIED', null],
    ['pull_pushed', 'APPLIED', 'APPLIED', null],
    ['pull_opened', 'APPLIED', 'APPLIED', 'task.proposed'],
    ['pull_refused', 'APPLIED', 'APPLIED', 'task.unproposed'],
    ['pull_merged', 'APPLIED', 'APPLIED', 'task.pull_merged'],
    ['pull_closed', 'APPLIED', 'APPLIED', 'task.pull_closed'],
    ['salvaged', 'STOPPED', 'STOPPED', null],
  ])('%s, from %s to %s, is %s', (type, from, to, news) => {
    expect(newsTypeOf(event(type, from, to))).toBe(news)
    expect(newsOf(event(type, from, to), aTask())?.type ?? null).toBe(news)
  })

  it('has a name for each state, and a webhook that does not choose is told where a person may be needed', () => {
    expect(newsTypes).toEqual(
      expect.arrayContaining(statuses.map((status) => `task.${status.toLowerCase()}`)),
    )
    expect(usualNews).toEqual(
      [
        'draft',
        'applied',
        'blocked',
        'failed',
        'timeout',
        'stopped',
        'rejected',
        'discarded',
        'merged',
        'unmerged',
        'undone',
        'undo_refused',
        'proposed',
        'unproposed',
        'pull_merged',
        'pull_closed',
      ].map((name) => `task.${name}`),
    )
  })

  it('is type, timestamp and data, and small whatever people and agents write', () => {
    const long = '修'.repeat(100_000)
    const news = newsOf(event('failed', 'RUNNING', 'FAILED', long), aTask({ goal: long, status: 'FAILED' }))
    const schema = z.object({
      type: z.literal('task.failed'),
      timestamp: z.literal('2026-01-01T12:00:00.000Z'),
      data: z.object({
        task: z.looseObject({ id: z.literal(aTaskId), status: z.literal('FAILED') }),
        event: z.looseObject({ seq: z.literal(3), type: z.literal('failed') }),
      }),
    })
    expect(schema.safeParse(JSON.parse(news?.body ?? '')).error).toBeUndefined()
    expect(Buffer.byteLength(news?.body ?? '')).toBeLessThan(20_000)
  })

  it('of a question has the answer, and stays small however long that is', () => {
    const long = '修'.repeat(32_000)
    const task = aTask({ kind: 'question', status: 'APPLIED', goal: long, answer: long })
    const { body = '' } = newsOf(event('answered', 'RUNNING', 'APPLIED', 'Answered.'), task) ?? {}
    expect(JSON.parse(body)).toMatchObject({
      type: 'task.applied',
      data: { task: { kind: 'question', answer: `${'修'.repeat(3999)}…` } },
    })
    expect(Buffer.byteLength(body)).toBeLessThan(20_000)
  })
})

describe('the id of a letter', () => {
  const origin = { destination: 'webhook:ci', taskId: aTaskId, seq: 3, at: aTime }

  it('is the same for the same event and destination, and fits in 25 characters', () => {
    expect(letterId(origin)).toBe(letterId({ ...origin }))
    expect(letterId(origin)).toMatch(/^msg_[a-z2-7]{20}$/)
  })

  it.each([
    { destination: 'webhook:other' },
    { taskId: aTaskIdOf(1) },
    { seq: 4 },
    // After a restore the number may be taken again.
    { at: aTime + 1 },
  ])('is another with %o', (different) => {
    expect(letterId({ ...origin, ...different })).not.toBe(letterId(origin))
  })
})
