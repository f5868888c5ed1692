import { DiscordAPIError, RESTJSONErrorCodes, Routes } from 'discord.js'
import type { TaskId } from '../domain/ids.ts'
import type { Composed, Destination, Outcome } from '../domain/outbox/destination.ts'
import { newsTypeOf } from '../domain/outbox/news.ts'
import type { TaskEvent } from '../domain/task.ts'
import { Delivering, type DeliveryDeps } from './delivering.ts'
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
      return composed(event, task.revision)
    },
    async deliver(letter, signal): Promise<Outcome> {
      try {
        await new Delivering(deps, { letter, botId: await deps.botId(), tooHeavy, signal }).tell()
        return { kind: 'delivered' }
      } catch (error) {
        // Who has locked a thread wants to hear no more of it; the status message still shows how the task stands.
        if (isCode(error, RESTJSONErrorCodes.ThreadLocked) || isCode(error, threadArchived))
          return { kind: 'delivered' }
        if (!isGone(error)) return outcomeOf(error)
        return beginsAnew(deps, letter.taskId, error, signal)
      }
    },
  }
}

/** Somebody has removed the thread or the status message over there: the next attempt begins them anew. */
async function beginsAnew(
  { book, plane, rest, settings }: DeliveryDeps,
  taskId: TaskId,
  error: unknown,
  signal: AbortSignal,
): Promise<Outcome> {
  const status = book.find(destinationOf(settings), taskId, 'status')
  try {
    // Nothing would edit the old one any more.
    if (status !== null)
      await rest().delete(Routes.channelMessage(status.channel, status.message), { signal })
  } catch (again) {
    // It is gone as well, or it is not ours.
    if (!(again instanceof DiscordAPIError)) return outcomeOf(again)
  }
  book.forget(destinationOf(settings), { taskId })
  // A follow-up was said in the thread of an earlier question: it has to begin one of its own.
  const parent = plane().task(taskId).parentTaskId
  if (parent !== null) book.forget(destinationOf(settings), { taskId: parent, kind: 'thread' })
  return { ...outcomeOf(error), kind: 'failed', fault: 'refused', text: goneText }
}

const goneText =
  'The channel, thread or message that it belongs to is gone: it is begun anew, in the channel that is configured.'

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
