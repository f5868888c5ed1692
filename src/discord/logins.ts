import type { IIdentifyThrottler } from 'discord.js'
import { pauseAfter } from './pauses.ts'

export interface LoginsDeps {
  readonly clock: () => number
  /** Runs `act` after so many ms; the answer calls it off. */
  readonly later: (ms: number, act: () => void) => () => void
}

const hourMs = 3_600_000
const longestPauseMs = 10 * 60_000

/** How long after the newest of these logins another may follow, ms: longer with each in the last hour. */
export function loginPauseMs(times: readonly number[], now: number): number {
  const lately = times.filter((at) => at <= now && at > now - hourMs)
  const last = lately.at(-1)
  if (last === undefined) return 0
  return Math.max(0, last + pauseAfter(lately.length, longestPauseMs) - now)
}

/**
 * Spaces out new sessions. The library logs in again every few seconds where each session ends at once, and Discord takes
 * back a token that logs in a thousand times a day (its reference: "Session Start Limit").
 */
export class Logins implements IIdentifyThrottler {
  readonly #deps: LoginsDeps
  #times: readonly number[] = []

  constructor(deps: LoginsDeps) {
    this.#deps = deps
  }

  async waitForIdentify(_shard: number, signal: AbortSignal): Promise<void> {
    const { clock, later } = this.#deps
    const pause = loginPauseMs(this.#times, clock())
    if (pause > 0) {
      await new Promise<void>((resolve, reject) => {
        const callOff = later(pause, resolve)
        const stop = (): void => {
          callOff()
          reject(new Error('The connection was closed meanwhile.'))
        }
        signal.addEventListener('abort', stop, { once: true })
      })
    }
    signal.throwIfAborted()
    this.#times = [...this.#times.filter((at) => at > clock() - hourMs), clock()]
  }
}
