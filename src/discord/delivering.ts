import { RESTJSONErrorCodes, Routes } from 'discord.js'
import { z } from 'zod'
import type { Members } from '../domain/discord.ts'
import type { TaskId } from '../domain/ids.ts'
import type { Letter } from '../domain/outbox/letter.ts'
import type { SentMessage } from '../domain/outbox/messages.ts'
import { actorKinds, statuses, type Task } from '../domain/task.ts'
import { deliveryMessage } from './messages/delivery.ts'
import { draftMessage } from './messages/draft.ts'
import type { Outgoing } from './messages/message.ts'
import { type News, newsMessage, ofDelivery } from './messages/news.ts'
import { statusMessage, threadName } from './messages/status.ts'
import { noteHeard } from './missed.ts'
import { find, isCode, isTooSlow, nonceMs, refusesFiles, sendOnce } from './sending.ts'
import { editPauseMs, settle } from './settling.ts'
import { destinationOf, markOf, onlooker, type TellingDeps } from './telling.ts'

export interface DeliveryDeps extends TellingDeps {
  /** The bot's own user, which may have another id than its application. */
  readonly botId: () => Promise<string>
  readonly clock: () => number
  /** A task has changed: its status message is to follow. Called inside the transaction of the change. */
  readonly touched: (id: TaskId) => void
}

export interface Attempt {
  readonly letter: Letter
  readonly botId: string
  /** Letters whose files took longer to send than there is time. */
  readonly tooHeavy: Set<string>
  readonly signal: AbortSignal
}

/** Events that leave something to be decided about the work of an applied task. */
const offering: ReadonlySet<string> = new Set(['handed_over', ...ofDelivery])

const bodySchema: z.ZodType<News> = z.object({
  seq: z.int(),
  revision: z.int(),
  type: z.string(),
  status: z.enum(statuses),
  text: z.string(),
  actor: z.object({ kind: z.enum(actorKinds), id: z.string() }),
})

/** One attempt at one letter. Every part may have been done by an earlier one. */
export class Delivering {
  readonly #deps: DeliveryDeps
  readonly #attempt: Attempt
  readonly #destination: string

  constructor(deps: DeliveryDeps, attempt: Attempt) {
    this.#deps = deps
    this.#attempt = attempt
    this.#destination = destinationOf(deps.settings)
  }

  async tell(): Promise<void> {
    const { letter, signal } = this.#attempt
    const news = bodySchema.parse(JSON.parse(letter.body))
    const task = this.#deps.plane().task(letter.taskId)
    const thread = await this.#thread(task)
    // What this letter offers is settled by a later one; another is good until a fresh one takes its place.
    const replaced = letter.type === 'task.offer' || offering.has(news.type)
    await settle(this.#deps, task, { except: `decision:${news.seq}`, replaced, signal }).catch(
      (error: unknown) => {
        // What keeps the status messages up to date sees to it too, later, and the news are not held up.
        if (editPauseMs(this.#deps, task.id, error, this.#deps.clock()) === null) throw error
        this.#deps.touched(task.id)
      },
    )
    if (['submitted', 'suggested', 'offered'].includes(news.type) && news.status === 'DRAFT')
      return this.#offer(news, thread)
    if (news.type === 'submitted' || news.type === 'approved') return
    if (news.type !== 'offered') await this.#report(news, task, thread)
    if (offering.has(news.type) || news.type === 'offered') await this.#offerDelivery(news, thread)
  }

  async #offer({ seq, revision }: News, thread: string): Promise<void> {
    const { plane, settings } = this.#deps
    const kind = `decision:${seq}`
    // Anew, and at one moment: what is shown has to be what the buttons decide on.
    const now = plane().task(this.#attempt.letter.taskId)
    const { offer } = plane().decisions(now.id, onlooker)
    // One that is decided by now needs no buttons; an older letter leaves them to the newer one.
    if (now.status !== 'DRAFT' || offer === null || revision !== now.revision)
      return this.#overtaken(now, thread, kind, revision)
    await this.#sayOnce(now, thread, kind, (mark, attaches) =>
      draftMessage(now, offer, { owners: settings.members.owner, mark, attaches }),
    )
  }

  /** What is to become of the work of an applied task, with buttons, where that is to be decided. */
  async #offerDelivery({ seq, revision }: News, thread: string): Promise<void> {
    const { plane } = this.#deps
    const kind = `decision:${seq}`
    const now = plane().task(this.#attempt.letter.taskId)
    const decisions = plane().decisions(now.id, onlooker)
    const { offer } = decisions
    if (offer === null || revision !== now.revision || now.version !== seq)
      return this.#overtaken(now, thread, kind, revision)
    await this.#sayOnce(now, thread, kind, (mark) => deliveryMessage(now, { ...decisions, offer }, mark))
  }

  /** It may have been sent without an answer, and been decided by its own buttons: then it has to say so. */
  async #overtaken(task: Task, thread: string, kind: string, revision: number): Promise<void> {
    const { book, rest } = this.#deps
    const { letter, botId, signal } = this.#attempt
    if (book.find(this.#destination, task.id, kind) === null) {
      const look = { mark: markOf(task.id, kind), since: letter.createdAt }
      const there = await find(rest(), botId, thread, look, signal)
      if (there === null) return
      this.#put({ ...task, revision }, kind, thread, there)
    }
    await settle(this.#deps, task, { signal })
  }

  async #report(news: News, task: Task, thread: string): Promise<void> {
    const checkpoints = this.#deps.plane().checkpoints(task.id)
    const isNew = news.status === 'APPLIED' && !ofDelivery.has(news.type)
    const diff = isNew ? await this.#diff(task) : ''
    await this.#sayOnce(task, thread, `news:${news.seq}`, (mark, attaches) =>
      newsMessage(task, news, checkpoints, {
        people: this.#people(task),
        diff,
        mark,
        attaches,
        replies: this.#deps.settings.listen.length > 0,
      }),
    )
  }

  /** The thread beneath the status message; it has the id of the one that it began at. */
  async #thread(task: Task): Promise<string> {
    const { book, rest, settings } = this.#deps
    const joined = this.#join(task)
    if (joined !== null) return joined
    const status = book.find(this.#destination, task.id, 'status')?.message ?? (await this.#status(task))
    const known = book.find(this.#destination, task.id, 'thread')
    if (known !== null) return known.message
    try {
      await rest().post(Routes.threads(settings.channel, status), {
        body: { name: threadName(task), auto_archive_duration: 4320 },
        signal: this.#attempt.signal,
      })
      if (settings.listen.length > 0) noteHeard(this.#deps, task.id, status, status)
    } catch (error) {
      if (!isCode(error, RESTJSONErrorCodes.ThreadAlreadyCreatedForMessage)) throw error
    }
    this.#put(task, 'thread', settings.channel, status)
    return status
  }

  /**
   * The thread of the question that one follows up: the conversation stays together there, without a status message for
   * each. Null where there is none, or the question has begun one of its own.
   */
  #join({ id, version, revision, kind, parentTaskId: parent }: Task): string | null {
    const { book, settings } = this.#deps
    const find = (of: TaskId, what: string) => book.find(this.#destination, of, what)
    if (kind !== 'question' || parent === null || find(id, 'status') !== null) return null
    const thread = find(id, 'thread')?.message ?? find(parent, 'thread')?.message ?? null
    if (thread === null || find(id, 'thread') !== null) return thread
    this.#put({ id, version, revision }, 'thread', settings.channel, thread)
    return thread
  }

  async #status(task: Task): Promise<string> {
    const { book, plane, settings, touched } = this.#deps
    const thread = book.find(this.#destination, task.id, 'thread')?.message ?? null
    const message = statusMessage(task, plane().checkpoints(task.id), thread)
    const id = await this.#send(settings.channel, 'status', task.id, message)
    // An earlier attempt may have sent it, as the task was then, and what has happened since found none to edit.
    this.#put({ ...task, version: 0 }, 'status', settings.channel, id)
    touched(task.id)
    return id
  }

  /** @param message with its files or, where they cannot be sent, with a word about them instead */
  async #sayOnce(
    task: Task,
    thread: string,
    kind: string,
    message: (mark: string, attaches: boolean) => Outgoing,
  ): Promise<void> {
    if (this.#deps.book.find(this.#destination, task.id, kind) !== null) return
    const { letter, tooHeavy } = this.#attempt
    const mark = markOf(task.id, kind)
    const send = (attaches: boolean) => this.#send(thread, kind, mark, message(mark, attaches))
    const id = await send(!tooHeavy.has(letter.id)).catch((error: unknown) => {
      const hasFiles = (message(mark, true).files ?? []).length > 0
      if (hasFiles && isTooSlow(error)) tooHeavy.add(letter.id)
      if (!hasFiles || !refusesFiles(error)) throw error
      return send(false)
    })
    tooHeavy.delete(letter.id)
    this.#put(task, kind, thread, id)
  }

  #send(channel: string, kind: string, mark: string, message: Outgoing): Promise<string> {
    const { rest, clock } = this.#deps
    const { letter, botId, signal } = this.#attempt
    // Attempts do not tell: one that a restart broke off is not counted, nor those before a person had it tried again.
    const mayBeThereSince = clock() - letter.createdAt > nonceMs ? letter.createdAt : null
    const once = { channel, key: `${letter.id} ${kind}`, mark, message, mayBeThereSince }
    return sendOnce(rest(), botId, once, signal)
  }

  #put(
    { id, version, revision }: Pick<Task, 'id' | 'version' | 'revision'>,
    kind: string,
    channel: string,
    message: string,
  ): void {
    const sent: SentMessage = {
      destination: this.#destination,
      taskId: id,
      kind,
      channel,
      message,
      shown: version,
      revision,
      settled: !kind.startsWith('decision:'),
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
