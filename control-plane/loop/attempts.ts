import type { BoxSpec } from '../../src/domain/box.ts'
import type { Checkpoint, Task } from '../../src/domain/task.ts'
import type { Store } from '../store/store.ts'

/** A fresh row of intent for the next attempt at a step. What an earlier attempt consumed or made can be carried over. */
export function newAttempt(
  store: Store,
  task: Task,
  step: number,
  now: number,
  carried: Partial<Checkpoint> = {},
): Checkpoint {
  const earlier = store.checkpoints(task.id, step).filter((row) => row.step === step)
  return {
    box: null,
    boxes: [],
    instruction: null,
    agent: null,
    violations: [],
    candidate: null,
    test: null,
    commit: null,
    ...carried,
    taskId: task.id,
    step,
    attempt: Math.max(0, ...earlier.map((row) => row.attempt)) + 1,
    fence: task.fence,
    state: 'open',
    charged: 0,
    startedAt: now,
    endedAt: null,
  }
}

/** The row with a box of its own: what the engine is about to run. Charging starts from nothing for each box. */
export function withBox(row: Checkpoint, box: BoxSpec): Checkpoint {
  return { ...row, box, charged: 0 }
}

export function closed<Row extends Checkpoint>(
  row: Row,
  state: 'kept' | 'partial' | 'dropped',
  now: number,
): Row & Pick<Checkpoint, 'state' | 'endedAt'> {
  return { ...row, state, endedAt: now }
}

/** What the instruction of a step's prompt is: what earlier attempts at it consumed, and what was said since. */
export function instructionFor(store: Store, task: Task, step: number): string | null {
  const before = store
    .checkpoints(task.id, step)
    .findLast((row) => row.step === step && row.instruction !== null)
  const said = [before?.instruction, task.instruction].filter((text) => typeof text === 'string')
  return said.length === 0 ? null : said.join('\n\n')
}
