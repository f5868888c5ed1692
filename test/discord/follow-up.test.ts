import { expect, it } from 'vitest'
import { completions } from '../../src/discord/commands/complete.ts'
import { nextSteps } from '../../src/discord/messages/news.ts'
import type { TaskFilter } from '../../src/domain/control-plane.ts'
import type { Task } from '../../src/domain/task.ts'
import { aTask, aTaskIdOf } from '../support/task.ts'

const answered = aTask({ kind: 'question', status: 'APPLIED', answer: 'So.' })
const discarded: Task = { ...answered, id: aTaskIdOf(1), delivery: 'discarded' }

it('an answered question is offered to be followed up, and one that is discarded is not', () => {
  const asked: TaskFilter[] = []
  const plane = {
    tasks: (filter: TaskFilter) => (asked.push(filter), [discarded, answered]),
  }
  const offered = completions(plane as never, 'ask', 'follow_up', '').map(({ value }) => value)
  expect(offered).toEqual([answered.id])
  expect(asked).toMatchObject([{ kind: 'question', statuses: ['APPLIED'] }])
  expect(nextSteps(answered, false)).toContain(`/ask follow_up:${answered.id}`)
  expect(nextSteps(discarded, false)).not.toContain('follow_up')
  expect(nextSteps(discarded, true)).not.toContain('Reply in its thread')
})
