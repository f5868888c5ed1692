import type { Bus } from './bus.ts'
import type { Store } from './store/store.ts'

interface Waiting {
  /** Writes, and returns what is to be done when that is on disk. */
  readonly act: () => () => void
  readonly reject: (reason: unknown) => void
}

/**
 * Writes that come in at the same moment, in one transaction: where many submit at once, a synced commit for each is most
 * of what the last of them would wait for. One that fails takes no other back, and nobody is answered or told of one
 * before it is on disk.
 */
export class Together {
  readonly #store: Pick<Store, 'together'>
  readonly #bus: Bus
  #waiting: Waiting[] = []

  constructor({ store, bus }: { readonly store: Pick<Store, 'together'>; readonly bus: Bus }) {
    this.#store = store
    this.#bus = bus
  }

  /** Does `act` with all else that comes in during this turn; again, where the first time was taken back. */
  join<T>(act: () => T): Promise<T> {
    if (this.#waiting.length === 0) setImmediate(() => this.#write())
    return new Promise((resolve, reject) => {
      const held = (): (() => void) => {
        const { result, tell } = this.#bus.held(act)
        return () => {
          tell()
          resolve(result)
        }
      }
      this.#waiting.push({ act: held, reject })
    })
  }

  #write(): void {
    const waiting = this.#waiting
    this.#waiting = []
    const outcomes = this.#outcomes(waiting.map(({ act }) => act))
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled') outcome.value()
      else waiting[index]?.reject(outcome.reason)
    }
  }

  #outcomes<T>(acts: readonly (() => T)[]): readonly PromiseSettledResult<T>[] {
    try {
      if (acts.length > 1) return this.#store.together(acts)
    } catch {
      // All was taken back. By itself, each meets what it has to meet, and says so.
    }
    return acts.map(alone)
  }
}

function alone<T>(act: () => T): PromiseSettledResult<T> {
  try {
    return { status: 'fulfilled', value: act() }
  } catch (reason) {
    return { status: 'rejected', reason }
  }
}
