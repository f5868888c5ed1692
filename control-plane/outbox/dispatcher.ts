import type { Destination } from '../../src/domain/outbox/destination.ts'
import type { Bus } from '../bus.ts'
import { Lane, type LaneDeps } from './lane.ts'

export interface DispatcherDeps extends LaneDeps {
  readonly destinations: readonly Destination[]
  readonly bus: Bus
}

/** What was left over is looked at after what a command is for; then what is old, once an hour. */
const firstMs = 1000
const everyMs = 3_600_000
/** For how long what was sent or discarded can be looked at. */
const keptMs = 30 * 24 * 3_600_000
/** What a process that ends waits for letters that are due, ms. */
const graceMs = 2000

/** Takes letters to their destinations, each in a lane of its own. */
export class Dispatcher implements AsyncDisposable {
  readonly #deps: DispatcherDeps
  readonly #lanes: readonly Lane[]
  #unsubscribe: () => void = () => undefined
  #endTimer: () => void = () => undefined

  constructor(deps: DispatcherDeps) {
    this.#deps = deps
    this.#lanes = deps.destinations.map((destination) => new Lane(destination, deps))
  }

  start(): void {
    this.#unsubscribe = this.#deps.bus.subscribe({ changed: () => this.wake() })
    this.#endTimer = this.#deps.ticks.later(firstMs, () => {
      this.wake()
      this.#sayWhatIsNobodys()
      this.#forget()
    })
  }

  /** There may be something to send. */
  wake(): void {
    for (const lane of this.#lanes) lane.wake()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unsubscribe()
    this.#endTimer()
    await Promise.all(this.#lanes.map((lane) => lane.close(graceMs)))
  }

  #forget(): void {
    const { outbox, clock, ticks, log } = this.#deps
    try {
      outbox.forget(clock() - keptMs)
    } catch (error) {
      log.warn({ err: error }, 'old letters could not be removed')
    }
    this.#endTimer = ticks.later(everyMs, () => this.#forget())
  }

  /** A destination may have been taken out of the configuration, with letters under way to it. */
  #sayWhatIsNobodys(): void {
    const { outbox, destinations, log } = this.#deps
    try {
      const known = new Set(destinations.map(({ name }) => name))
      const nobodys = outbox.open().filter((name) => !known.has(name))
      if (nobodys.length === 0) return
      const text = 'letters wait for destinations that are not configured: `cofferdam outbox list` shows them'
      log.warn({ destinations: nobodys }, text)
    } catch (error) {
      log.warn({ err: error }, 'the outbox cannot be read')
    }
  }
}
