import type { Change } from '../../control-plane/store/store.ts'
import type { Task } from '../../src/domain/task.ts'
import { aPerson } from './task.ts'

/** The event of a change that is not about events. */
export function anEvent(overrides: Partial<Change['event']> = {}): Change['event'] {
  return { type: 'noted', actor: aPerson, text: 'Something happened.', data: {}, at: 1_000, ...overrides }
}

/** A task is born. */
export function birth(task: Task, rest: Partial<Change> = {}): Change {
  return { before: null, after: task, event: anEvent({ type: 'submitted' }), ...rest }
}

/** A task changes by these fields. */
export function change(before: Task, fields: Partial<Task> = {}, rest: Partial<Change> = {}): Change {
  return { before, after: { ...before, version: before.version + 1, ...fields }, event: anEvent(), ...rest }
}

/** A free worker takes the task. */
export function claim(before: Task, leaseUntil: number): Change {
  const fields = { status: 'RUNNING', phase: 'prepare', fence: before.fence + 1, leaseUntil } as const
  return change(before, fields, { event: anEvent({ type: 'claimed' }) })
}
