import { DiscordAPIError, RESTJSONErrorCodes, Routes } from 'discord.js'
import type { TaskId } from '../domain/ids.ts'
import type { Composed, Destination, Outcome } from '../domain/outbox/destination.ts'
import { newsTypeOf } from '../domain/outbox/news.ts'
import type { Task, TaskEvent } from '../domain/task.ts'
import { Delivering, type DeliveryDeps } from './delivering.ts'
import { heardIn, noteHeard } from './missed.ts'
import type { News } from './messages/news.ts'
import { isCode, isGone, outcomeOf, threadArchived } from './sending.ts'
import { destinationOf } from './telling.ts'

/**
 * What Discord is told of tasks: a status message for each with a thread beneath, and in that what matters. Each message
 * names its task and event in its footer, by which it is found where it is not known whether it was sent.
 */
export function delivery(deps: DeliveryDeps): Destination {
  const tooHeavy = new Set<string>()
  return {
    name: destinationOf(deps.settings),
    compose(event, task) {
      deps.touched(task.id)
      if (event.type === 'submitted') join(deps, task)
      return composed(event, task.revision)
    },
    async deliver(letter, signal): Promise<Outcome> {
      try {
        await new Delivering(deps, { letter, botId: await deps.botId(), tooHeavy, signal }).tell()
        return { kind: 'delivered' }
      } catch (error) {
        const isLocked = isCode(error, RESTJSONErrorCodes.ThreadLocked) || isCode(error, threadArchived)
        // Who has locked a thread wants to hear no more of it; the status message still shows how the task stands. What
        // was asked in the thread of another question has none, and who has asked waits for the answer.
        if (isLocked && showsStatus(deps, letter.taskId)) return { kind: 'delivered' }
        if (!isLocked && !isGone(error)) return outcomeOf(error)
        return beginsAnew(deps, letter.taskId, error, signal)
      }
    },
  }
}

const showsStatus = ({ book, settings }: DeliveryDeps, id: TaskId): boolean =>
  book.find(destinationOf(settings), id, 'status') !== null

/**
 * Somebody has removed the thread or the status message over there, or locked the thread that a follow-up was said in: the
 * next attempt begins them anew.
 */
async function beginsAnew(
  deps: DeliveryDeps,
  taskId: TaskId,
  error: unknown,
  signal: AbortSignal,
): Promise<Outcome> {
  const { book, plane, rest, settings } = deps
  const destination = destinationOf(settings)
  const status = book.find(destination, taskId, 'status')
  try {
    // Nothing would edit the old one any more.
    if (status !== null)
      await rest().delete(Routes.channelMessage(status.channel, status.message), { signal })
  } catch (again) {
    // It is gone as well, or it is not ours.
    if (!(again instanceof DiscordAPIError)) return outcomeOf(again)
  }
  const thread = book.find(destination, taskId, 'thread')?.message ?? null
  const heard = thread === null ? null : heardIn(deps, thread)
  book.forget(destination, { taskId })
  // A follow-up was said in the thread of an earlier question: it has to begin one of its own.
  const parent = plane().task(taskId).parentTaskId
  if (parent !== null) book.forget(destination, { taskId: parent, kind: 'thread' })
  // A thread that is locked may be opened again, and what was heard there is not to be heard twice.
  const left = thread === null ? null : book.taskOf(destination, thread)
  if (thread !== null && heard !== null && left !== null) noteHeard(deps, left, thread, heard)
  return { ...outcomeOf(error), kind: 'failed', fault: 'refused', text: goneText }
}

const goneText =
  'The channel, thread or message that it belongs to is gone or locked: it is begun anew, in the channel that is configured.'

/** Births, what comes to another state, and what concerns a decision; all else only moves the status message. */
function composed(event: TaskEvent, revision: number): Composed | null {
  const { seq, type, to: status, text, actor } = event
  const news: News = { seq, revision, type, status, text: text.slice(0, 4000), actor }
  const body = JSON.stringify(news)
  if (type === 'submitted') return { type: 'task.new', body }
  if (type === 'offered') return { type: 'task.offer', body }
  if (type === 'approved') return { type: 'task.approved', body }
  const newsType = newsTypeOf(event)
  if (newsType === null || ['task.pending', 'task.running', 'task.validating'].includes(newsType)) return null
  return { type: newsType, body }
}

/**
 * A follow-up is said in the thread of the question before it, and is what that is about from its birth on: who writes there
 * before its first letter is delivered is not to ask beside it.
 */
function join(
  { book, settings }: DeliveryDeps,
  { id, version, revision, kind, parentTaskId: parent }: Task,
): void {
  if (kind !== 'question' || parent === null) return
  const thread = book.find(destinationOf(settings), parent, 'thread')
  if (thread === null) return
  book.put({ ...thread, taskId: id, shown: version, revision })
}
