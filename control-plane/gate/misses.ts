import { countedMisses, missWait } from '../../src/domain/decision.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { Actor } from '../../src/domain/task.ts'

/** Of an actor who pressed too many buttons that are none. */
export class Guessing extends Failure {
  /** Whole seconds until they may press again. */
  readonly waitSeconds: number
  constructor(waitMs: number) {
    const seconds = Math.ceil(waitMs / 1000)
    super('too_many', `Too many buttons that are none: try again in ${seconds} seconds.`)
    this.waitSeconds = seconds
  }
}

/** Who pressed buttons that are none, lately. Kept in memory: a restart forgives. */
export class Misses {
  readonly #times = new Map<string, readonly number[]>()

  /** Milliseconds until this actor may press again; 0 for now. */
  wait(actor: Actor, now: number): number {
    return missWait(this.#times.get(keyOf(actor)) ?? [], now)
  }

  add(actor: Actor, now: number): void {
    for (const [key, times] of this.#times) {
      if (countedMisses(times, now).length === 0) this.#times.delete(key)
    }
    const key = keyOf(actor)
    this.#times.set(key, countedMisses([...(this.#times.get(key) ?? []), now], now))
  }
}

const keyOf = ({ kind, id }: Actor): string => JSON.stringify([kind, id])
