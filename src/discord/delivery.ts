import { type APIChannel, type REST, RESTJSONErrorCodes, Routes } from 'discord.js'
import { z } from 'zod'
import type { Caller } from '../domain/caller.ts'
import type { ControlPlane } from '../domain/control-plane.ts'
import type { DiscordSettings, Members } from '../domain/discord.ts'
import type { TaskId } from '../domain/ids.ts'
import type { Composed, Destination, Outcome } from '../domain/outbox/destination.ts'
import type { Letter } from '../domain/outbox/letter.ts'
import type { MessageBook, SentMessage } from '../domain/outbox/messages.ts'
import { newsTypeOf } from '../domain/outbox/news.ts'
import { actorKinds, statuses, type Task, type TaskEvent } from '../domain/task.ts'
import type { Outgoing } from './messages/message.ts'
import { draftMessage, settledMessage } from './messages/draft.ts'
import { type News, newsMessage } from './messages/news.ts'
import { statusMessage, threadName } from './messages/status.ts'
import { edit, isCode, isGone, madeAt, nonceMs, outcomeOf, sendOnce, threadArchived } from './sending.ts'

/** What of the control plane a message is made from. */
export type Told = Pick<ControlPlane, 'task' | 'checkpoints' | 'decisions' | 'diff'>

export interface DeliveryDeps {
  readonly settings: DiscordSettings
  readonly book: MessageBook
  /** Opened after the destination is known; asked when something is to be sent. */
  readonly plane: () => Told
  readonly rest: () => REST
  /** The bot's own user, which is also its application. */
  readonly bot: () => Promise<string>
  readonly clock: () => number
  /** A task has changed: its status message is to follow. Called inside the transaction of the change. */
  readonly touched: (id: TaskId) => void
}

const bodySchema: z.ZodType<News> = z.object({
  seq: z.int(),
  revision: z.int(),
  type: z.string(),
  status: z.enum(statuses),
  text: z.string(),
  actor: z.object({ kind: z.enum(actorKinds), id: z.string() }),
})

export const destinationOf = ({ guild }: Pick<DiscordSettings, 'guild'>): string => `discord:${guild}`

/**
 * What Discord is told of tasks: a status message for each with a thread beneath, and in that what matters. Each message
 * names its task and event in its footer, by which it is found where it is not known whether it was sent.
 */
export function delivery(deps: DeliveryDeps): Destination {
  const { settings } = deps
  return {
    name: destinationOf(settings),
    compose(event, task) {
      deps.touched(task.id)
      return composed(event, task.revision)
    },
    async deliver(letter, signal): Promise<Outcome> {
      try {
        await new Delivering(deps, letter, await deps.bot(), signal).tell()
        return { kind: 'delivered' }
      } catch (error) {
        // Who has locked a thread wants to hear no more of it; the status message still shows how the task stands.
        if (isCode(error, RESTJSONErrorCodes.ThreadLocked) || isCode(error, threadArchived))
          return { kind: 'delivered' }
        if (!isGone(error)) return outcomeOf(error)
        // Somebody has removed the thread or the status message over there: the next attempt begins them anew.
        deps.book.forget(destinationOf(settings), letter.taskId)
        return { ...outcomeOf(error), kind: 'failed', fault: 'refused', text: goneText }
      }
    },
  }
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

/** Sees what is offered, whoever may press it: the buttons are for those who may. */
const onlooker: Caller = { actor: { kind: 'system', id: 'discord' }, role: 'owner' }

/** One attempt at one letter. Every part may have been done by an earlier one. */
class Delivering {
  readonly #deps: DeliveryDeps
  readonly #letter: Letter
  readonly #bot: string
  readonly #signal: AbortSignal
  readonly #destination: string

  constructor(deps: DeliveryDeps, letter: Letter, bot: string, signal: AbortSignal) {
    this.#deps = deps
    this.#letter = letter
    this.#bot = bot
    this.#signal = signal
    this.#destination = destinationOf(deps.settings)
  }

  async tell(): Promise<void> {
    const { plane } = this.#deps
    const news = bodySchema.parse(JSON.parse(this.#letter.body))
    const task = plane().task(this.#letter.taskId)
    const thread = await this.#thread(task)
    await this.#settle(task, `decision:${news.seq}`)
    const offers = ['submitted', 'suggested', 'offered'].includes(news.type) && news.status === 'DRAFT'
    if (offers) {
      // Anew, and at one moment: what is shown has to be what the buttons decide on.
      const now = plane().task(task.id)
      const { offer } = plane().decisions(task.id, onlooker)
      // One that is decided by now needs no buttons; an older letter leaves them to the newer one.
      if (now.status !== 'DRAFT' || offer === null || news.revision !== now.revision) return
      const { owner } = this.#deps.settings.members
      return this.#sayOnce(now, thread, `decision:${news.seq}`, (mark) =>
        draftMessage(now, offer, owner, mark),
      )
    }
    if (news.type === 'submitted' || news.type === 'approved') return
    const checkpoints = plane().checkpoints(task.id)
    const diff = news.status === 'APPLIED' ? await this.#diff(task) : ''
    await this.#sayOnce(task, thread, `news:${news.seq}`, (mark) =>
      newsMessage(task, news, checkpoints, {
        people: this.#people(task),
        diff,
        mark,
        replies: this.#deps.settings.listen.length > 0,
      }),
    )
  }

  /** The status message and the thread that begins at it, which has its id. */
  async #thread(task: Task): Promise<string> {
    const { book, plane, rest, settings } = this.#deps
    const known = book.find(this.#destination, task.id, 'status')
    if (known !== null) return known.message
    const message = statusMessage(task, plane().checkpoints(task.id))
    const id = await this.#send(settings.channel, `${this.#letter.id} status`, task.id, message)
    await rest()
      .post(Routes.threads(settings.channel, id), {
        body: { name: threadName(task), auto_archive_duration: 4320 },
        signal: this.#signal,
      })
      .catch((error: unknown) => {
        if (!isCode(error, RESTJSONErrorCodes.ThreadAlreadyCreatedForMessage)) throw error
      })
    // An earlier attempt may have sent it, as the task was then, and what has happened since found none to edit.
    this.#put({ ...task, version: 0 }, 'status', settings.channel, id, true)
    this.#deps.touched(task.id)
    return id
  }

  /** Says in messages with buttons that are none any more what became of them. */
  async #settle(task: Task, own: string): Promise<void> {
    const { book, plane } = this.#deps
    const { offer, last } = plane().decisions(task.id, onlooker)
    const isAbout = (sent: SentMessage): boolean => offer !== null && sent.revision === task.revision
    for (const sent of book.unsettled(this.#destination, task.id)) {
      // What this letter offers is settled by a later one; another is good until a fresh one takes its place.
      if (sent.kind === own || (isAbout(sent) && this.#letter.type !== 'task.offer')) continue
      // A suggestion makes another revision, so it was about an earlier message than one that shows the newest.
      const isEarlier = last?.action === 'suggest' && sent.revision === task.revision
      const decided = last !== null && last.at >= sentAt(sent) && !isEarlier ? last : null
      const settled = settledMessage(task, decided, sent.revision, markOf(task.id, sent.kind))
      try {
        await this.#editIn(sent, settled)
      } catch (error) {
        if (!isGone(error)) throw error
      }
      book.put({ ...sent, settled: true })
    }
  }

  /** What is written into an archived thread opens it again; to change something there, one has to open it oneself. */
  async #editIn({ channel, message }: SentMessage, outgoing: Outgoing): Promise<void> {
    const rest = this.#deps.rest()
    try {
      await edit(rest, channel, message, outgoing, this.#signal)
    } catch (error) {
      if (!isCode(error, threadArchived)) throw error
      const thread = (await rest.get(Routes.channel(channel), { signal: this.#signal })) as APIChannel
      if ('thread_metadata' in thread && (thread.thread_metadata?.locked ?? false)) return
      await rest.patch(Routes.channel(channel), { body: { archived: false }, signal: this.#signal })
      await edit(rest, channel, message, outgoing, this.#signal)
    }
  }

  async #sayOnce(
    task: Task,
    thread: string,
    kind: string,
    message: (mark: string) => Outgoing,
  ): Promise<void> {
    if (this.#deps.book.find(this.#destination, task.id, kind) !== null) return
    const mark = markOf(task.id, kind)
    const id = await this.#send(thread, `${this.#letter.id} ${kind}`, mark, message(mark))
    this.#put(task, kind, thread, id, !kind.startsWith('decision:'))
  }

  #send(channel: string, key: string, mark: string, message: Outgoing): Promise<string> {
    const { rest, clock } = this.#deps
    const { createdAt } = this.#letter
    // Attempts do not tell: one that a restart broke off is not counted, nor those before a person had it tried again.
    const mayBeThereSince = clock() - createdAt > nonceMs ? createdAt : null
    return sendOnce(rest(), this.#bot, { channel, key, mark, message, mayBeThereSince }, this.#signal)
  }

  #put(
    { id, version, revision }: Task,
    kind: string,
    channel: string,
    message: string,
    settled: boolean,
  ): void {
    const sent: SentMessage = {
      destination: this.#destination,
      taskId: id,
      kind,
      channel,
      message,
      shown: version,
      revision,
      settled,
    }
    this.#deps.book.put(sent)
  }

  /** Whom a task's news concerns: who began it, where they are on Discord, else the owners. */
  #people({ createdBy }: Task): Members {
    const { owner } = this.#deps.settings.members
    return createdBy.kind === 'discord' ? { users: [createdBy.id], roles: [] } : owner
  }

  async #diff({ id }: Task): Promise<string> {
    try {
      return await this.#deps.plane().diff(id, null)
    } catch {
      // It may be discarded by now; the message is worth sending without it.
      return ''
    }
  }
}

/** What stands in the footer of a message, and of no other in its channel. */
const markOf = (id: TaskId, kind: string): string => `${id} · ${kind.replace(':', ' ')}`

/** Discord's ids tell when they were made. Its clock is another than ours, and a minute apart is much. */
const sentAt = ({ message }: SentMessage): number => madeAt(message) - 60_000
