import { randomUUID } from 'node:crypto'
import type { Client } from '../client/client.ts'
import type { Submitted } from '../domain/submitted.ts'
import { Failure } from '../domain/failure.ts'
import type { TaskId } from '../domain/ids.ts'
import type { Connection } from './connection.ts'
import type { Exit } from './exit.ts'
import { unlessLeft } from './interrupt.ts'
import { pursue } from './pursue.ts'
import type { Pursuit } from './pursuit.ts'

type Submission = Pick<Pursuit, 'connection' | 'reporter' | 'spell' | 'ways'>

/**
 * Makes a task where it can be worked on. Ctrl-C before it is sent leaves nothing; later the answer is awaited all the
 * same, so that the task can be stopped.
 * @param send hands it in under a key, perhaps more than once
 * @returns null when left by a signal, which is told
 */
async function submit(
  { connection, reporter, spell, ways }: Submission,
  send: (client: Client, key: string) => Promise<Submitted>,
): Promise<Submitted | null> {
  const nothing = 'No task was made.'
  ways.tell({ first: 'Leaving…', last: nothing })
  const left = AbortSignal.any([ways.stop, ways.leave])
  await call(connection, refuseWithoutEngine, left)
  if (left.aborted) {
    reporter.note(nothing)
    return null
  }
  const perhaps = `The task may have been made all the same: \`${spell('task list')}\` shows it.`
  const first = 'Stopping the task as soon as it is made… (Ctrl-C again leaves at once)'
  ways.tell({ first, last: perhaps })
  // Under one key it is one task, however often the process that takes it dies in the middle.
  const key = randomUUID()
  try {
    const submitted = await call(connection, (client) => send(client, key), ways.leave)
    if (submitted === null) reporter.note(perhaps)
    return submitted
  } catch (error) {
    if (error instanceof Failure && error.code === 'busy') reporter.note(perhaps)
    throw error
  }
}

/** The same, and what was made is followed to where it settles. @returns null for the task where none is known of */
export async function submitAndPursue(
  start: Omit<Pursuit, 'mine' | 'after'>,
  send: (client: Client, key: string) => Promise<Submitted>,
): Promise<{ readonly exit: Exit; readonly id: TaskId | null }> {
  const { reporter, ways } = start
  const submitted = await submit(start, send)
  if (submitted === null) return { exit: ways.stop.aborted ? 'interrupted' : 'terminated', id: null }
  const { task, notes } = submitted
  reporter.task(task, notes)
  return { exit: await pursue({ ...start, mine: true, after: 0 }, task), id: task.id }
}

/** An errand, wherever it is answered; null when left before. Looking for another process is not cut off: it may open one. */
async function call<T>(
  connection: Connection,
  errand: (client: Client) => Promise<T>,
  left: AbortSignal,
): Promise<T | null> {
  try {
    return await connection.persist((client) => unlessLeft(errand(client), left), left)
  } catch (error) {
    if (left.aborted) return null
    throw error
  }
}

/** Somebody waits: without an engine or its image no task is made, which would wait for them. */
async function refuseWithoutEngine(client: Client): Promise<void> {
  for (const { name, state, text } of await client.doctor()) {
    if (state === 'problem' && (name === 'engine' || name === 'image')) throw new Failure(name, text)
  }
}
