import type { Client } from '../client/client.ts'
import type { Act } from '../domain/control-plane.ts'
import type { Task } from '../domain/task.ts'
import { allEvents } from './all-events.ts'
import type { Connection } from './connection.ts'

/**
 * Does an act on a task as it was shown, wherever the control plane is by now. Where the process that was sent it went
 * away without an answer, the events say whether it was done; if not, it is done where the task goes on.
 * @param bound the revision that it is bound to, the same at each try
 */
export async function actOnce(
  connection: Connection,
  shown: Task,
  act: Act,
  bound?: number,
  signal?: AbortSignal,
): Promise<Task> {
  return await connection.persist(async (client, sent) => {
    if (sent && (await isDone(client, shown, act))) return await client.task(shown.id)
    return await client.act(shown.id, act, bound)
  }, signal)
}

/** The events that each act is known by. */
const eventsOf = {
  approve: ['approved'],
  reject: ['rejected'],
  suggest: ['suggested', 'resumed'],
  steer: ['steered'],
  resume: ['resumed'],
  stop: ['stopped'],
  pause: ['paused'],
  discard: ['discarded'],
  merge: ['merge_decided'],
  'pull-request': ['pull_decided'],
  undo: ['undo_decided'],
  'pull-ended': ['pull_merged', 'pull_closed'],
} as const satisfies Record<Act['act'], readonly string[]>

/** Whether somebody has done this since the task was shown; who did it makes no difference. */
async function isDone(client: Client, shown: Task, act: Act): Promise<boolean> {
  const types: readonly string[] = eventsOf[act.act]
  const words = (act.act === 'resume' ? act.instruction : 'text' in act ? act.text : null)?.trim() ?? ''
  const since = (await allEvents(client, shown.id)).filter(({ seq }) => seq > shown.version)
  return since.some(({ type, text }) => types.includes(type) && text.includes(words))
}
