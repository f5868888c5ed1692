import { describe, expect, it } from 'vitest'
import type { Task } from '../../../src/domain/task.ts'
import { earlierOf, refuseFollowUp } from '../../../src/domain/question/follow-up.ts'
import { aTask, aTaskId, aTaskIdOf } from '../../support/task.ts'

const question = (more: Partial<Task>): Task =>
  aTask({ kind: 'question', status: 'APPLIED', answer: 'Because.', ...more })

describe('a follow-up', () => {
  it('follows an answered question', () => {
    expect(() => refuseFollowUp(question({}))).not.toThrow()
  })

  it.each<[Partial<Task>, string]>([
    [{ kind: 'change', answer: null }, `Task ${aTaskId} is no question`],
    [{ status: 'RUNNING', answer: null }, `Question ${aTaskId} is RUNNING and has no answer yet`],
    [{ delivery: 'discarded' }, `Question ${aTaskId} is discarded`],
    [{ status: 'STOPPED', answer: null, delivery: 'discarded' }, `Question ${aTaskId} is discarded`],
    [{ status: 'BLOCKED', answer: null }, `Question ${aTaskId} is BLOCKED and has no answer yet`],
  ])('follows none that is %j', (more, sentence) => {
    expect(() => refuseFollowUp(question(more))).toThrow(sentence)
  })

  it('is told what was asked before, oldest first, and of a long conversation the end', () => {
    const asked = Array.from({ length: 9 }, (_, n) =>
      question({
        id: aTaskIdOf(n),
        goal: `Question ${n}`,
        answer: n === 7 ? null : `Answer ${n}`,
        parentTaskId: n === 0 ? null : aTaskIdOf(n - 1),
      }),
    )
    const find = (id: Task['id']): Task | null => asked.find((one) => one.id === id) ?? null
    expect(earlierOf({ parentTaskId: aTaskIdOf(2) }, find)).toEqual([
      { question: 'Question 0', answer: 'Answer 0' },
      { question: 'Question 1', answer: 'Answer 1' },
      { question: 'Question 2', answer: 'Answer 2' },
    ])
    const long = earlierOf({ parentTaskId: aTaskIdOf(8) }, find)
    expect(long.map((one) => one.question)).toEqual([2, 3, 4, 5, 6, 8].map((n) => `Question ${n}`))
    expect(earlierOf({ parentTaskId: null }, find)).toEqual([])
    expect(earlierOf({ parentTaskId: aTaskIdOf(99) }, find)).toEqual([])
  })
})
