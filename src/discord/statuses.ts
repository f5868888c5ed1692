import { DiscordAPIError, RateLimitError, Routes } from 'discord.js'
import { messageOf } from '../domain/failure.ts'
import type { TaskId } from '../domain/ids.ts'
import type { SentMessage } from '../domain/outbox/messages.ts'
import type { Task } from '../domain/task.ts'
import type { Doing, Doings } from './doings.ts'
import { glance, reactions, statusMessage } from './messages/status.ts'
import { pauseAfter } from './pauses.ts'
import { edit, isOld, isOutOfReach } from './sending.ts'
import { editPauseMs, settle } from './settling.ts'
import { destinationOf, type TellingDeps } from './telling.ts'

export interface StatusesDeps extends TellingDeps {
  readonly log: (text: string, more: Readonly<Record<string, unknown>>) => void
  readonly clock: () => number
  readonly doings: Pick<Doings, 'of'>
  /** Runs `act` after so many ms; the answer calls it off. */
  readonly later: (ms: number, act: () => void) => () => void
}

/** Discord takes five edits of a message in five seconds; people read one a second at most. */
const everyMs = 1000
const longestPauseMs = 5 * 60_000
/** How long what an agent does waits to be shown where nothing else is: once more for each other that waits. */
const doingMs = 5000

/**
 * Keeps what was sent up to date: each status message shows its task as it is a second later at most, and buttons that are
 * over say so. What could not be edited is tried again for as long as it takes. What was missed while no process ran is
 * found in the book.
 */
export class Statuses {
  readonly #deps: StatusesDeps
  readonly #destination: string
  readonly #touched = new Set<TaskId>()
  /** Tasks with a message that Discord takes no edit of for a while; what ends the wait early. */
  readonly #held = new Map<TaskId, () => void>()
  /** Tasks whose agents have done something that waits to be shown; what calls it off. */
  readonly #doing = new Map<TaskId, () => void>()
  /** What their messages show of it. */
  readonly #shown = new Map<TaskId, Doing>()
  /** The reaction that each message carries, where it is known. */
  readonly #reacted = new Map<string, string | null>()
  #pauseMs = everyMs
  #failures = 0
  #endTimer: (() => void) | null = null
  #round: Promise<void> | null = null
  readonly #closing = new AbortController()

  constructor(deps: StatusesDeps) {
    this.#deps = deps
    this.#destination = destinationOf(deps.settings)
  }

  start(): void {
    for (const id of this.#deps.book.behind(this.#destination)) this.#touched.add(id)
    this.#wait()
  }

  /** May be called inside a transaction: it only takes note. */
  touch(id: TaskId): void {
    if (this.#held.has(id)) return
    this.#touched.add(id)
    this.#wait()
  }

  /** The agent of a task has done something: the next edit shows it, and after a while one for that alone. */
  progressed(id: TaskId): void {
    if (this.#doing.has(id) || this.#held.has(id) || this.#closing.signal.aborted) return
    const pause = doingMs * (1 + this.#doing.size)
    const end = this.#deps.later(pause, () => {
      this.#doing.delete(id)
      this.touch(id)
    })
    this.#doing.set(id, end)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#endTimer?.()
    for (const end of this.#doing.values()) end()
    for (const end of this.#held.values()) end()
    await this.#round
  }

  #wait(): void {
    if (
      this.#closing.signal.aborted ||
      this.#endTimer !== null ||
      this.#round !== null ||
      this.#touched.size === 0
    )
      return
    this.#endTimer = this.#deps.later(this.#pauseMs, () => {
      this.#endTimer = null
      this.#round = this.#edits().then(() => {
        this.#round = null
        this.#wait()
        return undefined
      })
    })
  }

  /** Never rejects. */
  async #edits(): Promise<void> {
    const ids = [...this.#touched]
    this.#touched.clear()
    for (const [at, id] of ids.entries()) {
      if (this.#closing.signal.aborted) return
      try {
        await this.#edit(id)
        this.#failures = 0
        this.#pauseMs = everyMs
      } catch (error) {
        if (this.#hold(id, error)) continue
        // At the end, so that one that Discord will not take holds up no other.
        for (const left of [...ids.slice(at + 1), id]) this.#touched.add(left)
        const wanted = error instanceof RateLimitError ? error.retryAfter : 0
        this.#failures += 1
        this.#pauseMs = Math.max(wanted, pauseAfter(this.#failures, longestPauseMs))
        this.#deps.log('a status message could not be edited', { task: id, error: messageOf(error) })
        return
      }
    }
  }

  /** Whether only this task has to wait, as Discord takes few edits of its old messages: then it does. */
  #hold(id: TaskId, error: unknown): boolean {
    const { clock, later } = this.#deps
    const pause = editPauseMs(this.#deps, id, error, clock())
    if (pause === null) return false
    const end = later(pause, () => {
      this.#held.delete(id)
      this.touch(id)
    })
    this.#held.set(id, end)
    return true
  }

  async #edit(id: TaskId): Promise<void> {
    const task = this.#deps.plane().task(id)
    // One of its own: the library leaves a listener on it with each request.
    const signal = AbortSignal.any([this.#closing.signal])
    const sent = this.#deps.book.find(this.#destination, id, 'status')
    // Before its first letter has arrived there is none, and that shows the task as it is then.
    if (sent !== null) await this.#show(task, sent, signal)
    await settle(this.#deps, task, { signal })
  }

  async #show(task: Task, sent: SentMessage, signal: AbortSignal): Promise<void> {
    const { book, plane, rest } = this.#deps
    const thread = book.find(this.#destination, task.id, 'thread')?.message ?? sent.message
    try {
      if (sent.shown < task.version || this.#isNews(task, sent)) {
        const elsewhere = thread === sent.message ? null : thread
        const doing = this.#deps.doings.of(task.id)
        const message = statusMessage(task, plane().checkpoints(task.id), elsewhere, doing)
        await edit(rest(), sent.channel, sent.message, message, signal)
        if (doing === null) this.#shown.delete(task.id)
        else this.#shown.set(task.id, doing)
      }
      await this.#react(sent, glance(task).reaction, signal).catch((error: unknown) => {
        // Too many others are there, or it may not: the message itself is what matters.
        if (!isRefused(error)) throw error
        this.#deps.log('a reaction was refused', { task: task.id, error: messageOf(error) })
      })
    } catch (error) {
      if (!isOutOfReach(error)) throw error
      // The next letter begins it anew; its thread stays, and what is written and pressed there counts.
      book.put({ ...sent, kind: 'thread', message: thread })
      book.forget(this.#destination, { taskId: task.id, kind: 'status' })
      return
    }
    const now = book.find(this.#destination, task.id, 'status')
    if (now !== null) book.put({ ...now, shown: task.version, revision: task.revision })
  }

  /** Whether an agent has done something since. Of the few edits that an old message takes, none is for that alone. */
  #isNews({ id }: Task, { message }: SentMessage): boolean {
    const doing = this.#deps.doings.of(id)
    return doing !== null && doing !== this.#shown.get(id) && !isOld(message, this.#deps.clock())
  }

  /** One reaction at a time, ours alone; a person's decides nothing. */
  async #react({ channel, message }: SentMessage, wanted: string | null, signal: AbortSignal): Promise<void> {
    const before = this.#reacted.get(message)
    if (before === wanted) return
    const at = (emoji: string) =>
      Routes.channelMessageOwnReaction(channel, message, encodeURIComponent(emoji))
    const others = before === undefined ? reactions : [before].filter((one) => one !== null)
    for (const emoji of others) {
      if (emoji === wanted) continue
      await this.#deps
        .rest()
        .delete(at(emoji), { signal })
        .catch((error: unknown) => {
          // It does not carry that one. Where the message is gone, the next request says so too.
          if (!(error instanceof DiscordAPIError && error.status === 404)) throw error
        })
    }
    if (wanted !== null) await this.#deps.rest().put(at(wanted), { signal })
    this.#reacted.set(message, wanted)
    if (this.#reacted.size > 1000) this.#reacted.clear()
  }
}

/** Whether Discord does not take it, and will not take it the next time. */
const isRefused = (error: unknown): boolean =>
  error instanceof DiscordAPIError && (error.status === 400 || error.status === 403)
