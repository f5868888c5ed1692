import { expect, it } from 'vitest'
import { folded } from '../../src/dashboard/task/fold.ts'
import type { TaskEvent } from '../../src/domain/task.ts'
import { aPerson, aTaskId } from '../support/task.ts'

const of = (...steps: readonly number[]): readonly TaskEvent[] =>
  steps.map((step, index) => ({
    taskId: aTaskId,
    seq: index + 1,
    at: index,
    type: 'noticed',
    actor: aPerson,
    from: 'RUNNING',
    to: 'RUNNING',
    step,
    attempt: 1,
    fence: 1,
    text: '',
    data: {},
  }))
const shapes = (events: readonly TaskEvent[]) =>
  folded(events).map((entry) =>
    'events' in entry ? [entry.step, entry.events.map(({ seq }) => seq)] : entry.seq,
  )

it.each([
  ['before the first step', of(0, 0), [1, 2]],
  ['in the first', of(0, 1, 1), [1, 2, 3]],
  ['in the third', of(0, 1, 1, 2, 2, 2, 3), [1, [1, [2, 3]], [2, [4, 5, 6]], 7]],
  ['a step with one event has nothing to fold', of(1, 2, 2, 3), [1, [2, [2, 3]], 4]],
  ['nothing yet', of(), []],
])('steps that are over are folded: %s', (_, events, shape) => {
  expect(shapes(events)).toEqual(shape)
})
