import { DiscordAPIError, RateLimitError, type REST, Routes } from 'discord.js'
import type { DiscordSettings } from '../domain/discord.ts'
import { messageOf } from '../domain/failure.ts'
import type { TaskId } from '../domain/ids.ts'
import type { MessageBook, SentMessage } from '../domain/outbox/messages.ts'
import { destinationOf, type Told } from './delivery.ts'
import { look, reactions, statusMessage } from './messages/status.ts'
import { edit, isGone } from './sending.ts'

export interface StatusesDeps {
  readonly settings: DiscordSettings
  readonly book: MessageBook
  readonly plane: () => Told
  readonly rest: () => REST
  readonly log: (text: string, more: Readonly<Record<string, unknown>>) => void
  /** Runs `act` after so many ms; the answer calls it off. */
  readonly later: (ms: number, act: () => void) => () => void
}

/** Discord takes five edits of a message in five seconds; people read one a second at most. */
const everyMs = 1000
const firstPauseMs = 5000
const longestPauseMs = 5 * 60_000

/**
 * Keeps the status messages up to date: each shows its task as it is a second later at most, and what could not be edited
 * is tried again for as long as it takes. What was missed while no process ran is found in the book.
 */
export class Statuses {
  readonly #deps: StatusesDeps
  readonly #touched = new Set<TaskId>()
  /** The reaction that each message carries, where it is known. */
  readonly #reacted = new Map<string, string | null>()
  #pauseMs = everyMs
  #endTimer: (() => void) | null = null
  #round: Promise<void> | null = null
  readonly #closing = new AbortController()

  constructor(deps: StatusesDeps) {
    this.#deps = deps
  }

  start(): void {
    for (const id of this.#deps.book.behind(destinationOf(this.#deps.settings))) this.#touched.add(id)
    this.#wait()
  }

  /** May be called inside a transaction: it only takes note. */
  touch(id: TaskId): void {
    this.#touched.add(id)
    this.#wait()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#endTimer?.()
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
        this.#pauseMs = everyMs
      } catch (error) {
        // At the end, so that one that Discord will not take holds up no other.
        for (const left of [...ids.slice(at + 1), id]) this.#touched.add(left)
        const wanted = error instanceof RateLimitError ? error.retryAfter : 0
        this.#pauseMs = Math.max(wanted, Math.min(longestPauseMs, Math.max(firstPauseMs, this.#pauseMs * 2)))
        this.#deps.log('a status message could not be edited', { task: id, error: messageOf(error) })
        return
      }
    }
  }

  async #edit(id: TaskId): Promise<void> {
    const { book, plane, rest, settings } = this.#deps
    // One of its own: the library leaves a listener on it with each request.
    const signal = AbortSignal.any([this.#closing.signal])
    const sent = book.find(destinationOf(settings), id, 'status')
    // Its first letter has not arrived yet, which shows the task as it is then.
    if (sent === null) return
    const task = plane().task(id)
    try {
      if (sent.shown < task.version)
        await edit(rest(), sent.channel, sent.message, statusMessage(task, plane().checkpoints(id)), signal)
      await this.#react(sent, look(task).reaction, signal).catch((error: unknown) => {
        // Too many others are there, or it may not: the message itself is what matters.
        if (!isRefused(error)) throw error
        this.#deps.log('a reaction was refused', { task: id, error: messageOf(error) })
      })
    } catch (error) {
      if (!isGone(error)) throw error
      // The next letter begins it anew.
      book.forget(sent.destination, id)
      return
    }
    const now = book.find(sent.destination, id, 'status')
    if (now !== null) book.put({ ...now, shown: task.version, revision: task.revision })
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
