import { messageOf } from '../../src/domain/failure.ts'
import { afterAttempt, afterBreak, type Patience, usualPatience } from '../../src/domain/outbox/attempt.ts'
import type { Destination, Outcome } from '../../src/domain/outbox/destination.ts'
import type { Letter } from '../../src/domain/outbox/letter.ts'
import type { Log } from '../log.ts'
import type { OutboxRows } from '../store/outbox.ts'
import type { Ticks } from '../ticks.ts'

export interface LaneDeps {
  readonly outbox: OutboxRows
  /** Epoch milliseconds. */
  readonly clock: () => number
  readonly ticks: Ticks
  /** From 0 to 1. */
  readonly random: () => number
  readonly log: Pick<Log, 'info' | 'warn'>
  readonly limits?: LaneLimits
  readonly patience?: Patience
}

export interface LaneLimits {
  /** What an attempt may take, ms. */
  readonly sendMs: number
  /** How long a letter is its sender's, ms: longer than an attempt, so that only one who died or sleeps loses it. */
  readonly leaseMs: number
  /** The longest time between two looks, ms: timers do not see that the machine slept, the clock does. */
  readonly lookMs: number
  /** How long one looks away from a store that fails, ms. */
  readonly brokenMs: number
}

const laneLimits: LaneLimits = { sendMs: 15_000, leaseMs: 30_000, lookMs: 30_000, brokenMs: 5000 }

/** Sends the letters of one destination, one after the other. Other lanes do not wait for it. */
export class Lane {
  readonly #deps: LaneDeps
  readonly #limits: LaneLimits
  readonly #destination: Destination
  readonly #breaking = new AbortController()
  #endTimer: () => void = () => undefined
  #round: Promise<void> | null = null
  #again = false
  #closing = false

  constructor(destination: Destination, deps: LaneDeps) {
    this.#destination = destination
    this.#deps = deps
    this.#limits = deps.limits ?? laneLimits
  }

  /** There may be something to send. */
  wake(): void {
    this.#again = true
    if (this.#round !== null || this.#closing) return
    this.#endTimer()
    this.#round = this.#rounds().then((pause) => {
      this.#round = null
      if (this.#again) this.wake()
      else this.#wait(pause)
      return undefined
    })
  }

  /** Sends what is due, for at most so many ms; what is under way then is broken off, and sent again another time. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true
    this.#endTimer()
    const endTimer = this.#deps.ticks.deadline(graceMs, () => this.#breaking.abort())
    await this.#round
    endTimer()
  }

  #wait(ms: number): void {
    if (this.#closing) return
    this.#endTimer = this.#deps.ticks.later(ms, () => this.wake())
  }

  /** Never rejects. @returns when to look again, in ms */
  async #rounds(): Promise<number> {
    const { outbox, clock, log } = this.#deps
    const { lookMs, brokenMs } = this.#limits
    try {
      while (this.#again && !this.#breaking.signal.aborted) {
        this.#again = false
        await this.#drain()
      }
      const dueAt = outbox.dueAt(this.#destination.name)
      return dueAt === null ? lookMs : Math.min(lookMs, Math.max(10, dueAt - clock()))
    } catch (error) {
      this.#again = false
      log.warn({ err: error, destination: this.#destination.name }, 'the outbox cannot be read or written')
      return brokenMs
    }
  }

  async #drain(): Promise<void> {
    const { outbox, clock } = this.#deps
    while (!this.#breaking.signal.aborted) {
      const letter = outbox.claim(this.#destination.name, clock(), this.#limits.leaseMs)
      if (letter === null) return
      await this.#send(letter)
    }
  }

  async #send(letter: Letter): Promise<void> {
    const { outbox, clock, random, log, patience = usualPatience } = this.#deps
    const outcome = await this.#attempt(letter)
    const now = clock()
    const broken = outcome.kind === 'failed' && this.#breaking.signal.aborted
    const after = broken ? afterBreak(letter, now) : afterAttempt(letter, outcome, now, random(), patience)
    const { id, destination, taskId: task, attempts } = letter
    const said = { letter: id, destination, task, attempts, state: after.state }
    if (!outbox.move(letter, after)) {
      log.warn(said, 'a letter was taken over while it was being sent: it may arrive twice')
      return
    }
    if (outcome.kind === 'delivered') {
      log.info(said, 'a letter was sent')
      return
    }
    log.warn({ ...said, error: outcome.text }, 'a letter could not be sent')
    if (outcome.fault === 'gone') outbox.giveUp(destination, outcome.text, now)
  }

  /** Never rejects, and is over when its time is, whatever the destination does. */
  async #attempt(letter: Letter): Promise<Outcome> {
    const { sendMs } = this.#limits
    const stopping = new AbortController()
    const { signal } = stopping
    const stop = (): void => stopping.abort()
    const endTimer = this.#deps.ticks.deadline(sendMs, stop)
    this.#breaking.signal.addEventListener('abort', stop, { once: true })
    const over = new Promise<Outcome>((resolve) => {
      signal.addEventListener('abort', () => resolve(tooSlow(sendMs)), { once: true })
    })
    try {
      return await Promise.race([this.#destination.deliver(letter, signal), over])
    } catch (error) {
      return { kind: 'failed', fault: 'passing', text: `It could not be sent: ${messageOf(error)}.` }
    } finally {
      endTimer()
      this.#breaking.signal.removeEventListener('abort', stop)
      stop()
    }
  }
}

const tooSlow = (ms: number): Outcome => ({
  kind: 'failed',
  fault: 'passing',
  text: `There was no answer within ${ms / 1000} s.`,
})
