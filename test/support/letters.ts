import type { Store } from '../../control-plane/store/store.ts'
import type { Destination, Outcome } from '../../src/domain/outbox/destination.ts'
import type { Letter } from '../../src/domain/outbox/letter.ts'
import { lettersOf } from '../../src/domain/outbox/write.ts'
import { anEvent, birth } from './change.ts'
import type { TaskEvent } from '../../src/domain/task.ts'
import { aPerson, aTask, aTaskId, aTaskIdOf, aTime } from './task.ts'

/** A letter that waits for its first attempt. */
export function aLetter(overrides: Partial<Letter> = {}): Letter {
  return {
    id: `msg_${'a'.repeat(20)}`,
    seq: 1,
    destination: 'webhook:ci',
    taskId: aTaskId,
    event: 1,
    type: 'task.applied',
    body: '{"type":"task.applied"}',
    state: 'waiting',
    attempts: 0,
    fence: 0,
    error: null,
    createdAt: aTime,
    nextAt: aTime,
    leaseUntil: null,
    endedAt: null,
    actor: null,
    ...overrides,
  }
}

/** The third event of a task. */
export function aTaskEvent(overrides: Partial<TaskEvent> = {}): TaskEvent {
  return {
    taskId: aTaskId,
    seq: 3,
    at: aTime,
    actor: aPerson,
    step: 1,
    attempt: 1,
    fence: 1,
    data: {},
    type: 'halted',
    from: 'RUNNING',
    to: 'BLOCKED',
    text: 'It happened.',
    ...overrides,
  }
}

/** A destination that wants to know of everything, by the number of its task, and does this with it. */
export function aDestination(
  name: string,
  deliver: (letter: Letter, signal: AbortSignal) => Promise<Outcome> | Outcome = () => ({
    kind: 'delivered',
  }),
): Destination {
  return {
    name,
    compose: (_, { goal }) => ({ type: 'task.pending', body: goal }),
    deliver: async (letter, signal) => await deliver(letter, signal),
  }
}

/** Writes so many tasks, the first with this number, each of which all of these are told of: its number is the body. */
export function writeTasks(
  store: Store,
  names: readonly string[],
  numbers: readonly number[],
  at = aTime,
): void {
  const destinations = names.map((name) => aDestination(name))
  for (const number of numbers) {
    const task = aTask({ id: aTaskIdOf(number), goal: String(number) })
    const written = store.write(
      birth(task, {
        event: anEvent({ type: 'submitted', at }),
        letters: (event, after) => lettersOf(destinations, event, after),
      }),
    )
    if (written.kind !== 'written') throw new Error(`task ${number} was written before`)
  }
}

/** Whole numbers from 1. */
export const upTo = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => index + 1)
