import { type APIChannel, type REST, Routes } from 'discord.js'
import type { TaskId } from '../domain/ids.ts'
import type { SentMessage } from '../domain/outbox/messages.ts'
import type { Task } from '../domain/task.ts'
import type { Outgoing } from './messages/message.ts'
import { settledMessage } from './messages/draft.ts'
import { edit, isCode, isOutOfReach, madeAt, oldEditPauseMs, threadArchived } from './sending.ts'
import { destinationOf, markOf, onlooker, type TellingDeps } from './telling.ts'

export interface Settling {
  /** The kind of a message that stays as it is, whatever it offers. */
  readonly except?: string
  /** What is offered now is offered in another message: those that show the same are over. */
  readonly replaced?: boolean
  readonly signal: AbortSignal
}

/** Says in messages with buttons that are none any more what became of them. */
export async function settle(
  deps: TellingDeps,
  task: Task,
  { except, replaced = false, signal }: Settling,
): Promise<void> {
  const { book, plane, rest, settings } = deps
  for (const sent of book.unsettled(destinationOf(settings), task.id)) {
    const { offer, last } = plane().decisions(task.id, onlooker)
    const isGood = offer !== null && sent.revision === task.revision && !replaced
    if (sent.kind === except || isGood) continue
    // A suggestion makes another revision, so it was about an earlier message than one that shows the newest.
    const isEarlier = last?.action === 'suggest' && sent.revision === task.revision
    const decided = last !== null && last.at >= sentAt(sent) && !isEarlier ? last : null
    const settled = settledMessage(task, decided, sent.revision, markOf(task.id, sent.kind))
    try {
      await editIn(rest(), sent, settled, signal)
    } catch (error) {
      if (!isOutOfReach(error)) throw error
    }
    book.put({ ...sent, settled: true })
  }
}

/**
 * How long what was sent of a task can be edited no more, ms, where Discord takes no edit of one of its messages for now;
 * null where the error is about more than these.
 */
export function editPauseMs(
  { book, settings }: TellingDeps,
  id: TaskId,
  error: unknown,
  now: number,
): number | null {
  const destination = destinationOf(settings)
  const status = book.find(destination, id, 'status')
  return [...(status === null ? [] : [status]), ...book.unsettled(destination, id)]
    .map(({ message }) => oldEditPauseMs(error, message, now))
    .reduce((one, other) => one ?? other, null)
}

/** What is written into an archived thread opens it again; to change something there, one has to open it oneself. */
async function editIn(
  rest: REST,
  { channel, message }: SentMessage,
  outgoing: Outgoing,
  signal: AbortSignal,
): Promise<void> {
  try {
    await edit(rest, channel, message, outgoing, signal)
  } catch (error) {
    if (!isCode(error, threadArchived)) throw error
    const thread = (await rest.get(Routes.channel(channel), { signal })) as APIChannel
    if ('thread_metadata' in thread && (thread.thread_metadata?.locked ?? false)) return
    await rest.patch(Routes.channel(channel), { body: { archived: false }, signal })
    await edit(rest, channel, message, outgoing, signal)
  }
}

/** Discord's ids tell when they were made. Its clock is another than ours, and a minute apart is much. */
const sentAt = ({ message }: SentMessage): number => madeAt(message) - 60_000
