import type { EgressDecision } from '../../src/domain/egress.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Log } from '../log.ts'
import type { Store } from '../store/store.ts'

/** How long decisions may wait to be written together, ms, and how many. */
const waitMs = 200
const most = 200

/**
 * Writes what a box asks of the gateway to the egress log. What is denied waits a moment for more of its kind, for a box may
 * ask ten thousand times a second; what is allowed is written before anything is dialled.
 */
export class EgressJournal {
  readonly #store: Pick<Store, 'recordEgress'>
  readonly #task: TaskId
  readonly #box: string
  readonly #log: Log
  /** What the box asked for before this process had it. */
  readonly #before: number
  #waiting = new Map<number, EgressDecision>()
  #timer: NodeJS.Timeout | null = null

  constructor(store: Pick<Store, 'recordEgress' | 'lastEgressId'>, task: TaskId, box: string, log: Log) {
    this.#store = store
    this.#task = task
    this.#box = box
    this.#log = log
    this.#before = store.lastEgressId(task, box)
  }

  /**
   * Throws what the storage throws where the decision opens a connection, which then is not opened, and with every one while
   * too many wait.
   */
  put(decision: EgressDecision): void {
    this.#waiting.set(decision.id, decision)
    const opens = decision.verdict === 'allowed' && decision.bytesUp === null
    if (opens || this.#waiting.size >= most) this.flush()
    else this.#timer ??= setTimeout(() => this.#flushSafely(), waitMs)
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#waiting.size === 0) return
    const named = { taskId: this.#task, box: this.#box }
    this.#store.recordEgress(
      [...this.#waiting.values()].map((decision) => ({
        ...decision,
        ...named,
        id: decision.id + this.#before,
      })),
    )
    this.#waiting = new Map()
  }

  /** A storage that fails keeps them waiting for the next call. */
  #flushSafely(): void {
    try {
      this.flush()
    } catch (error) {
      this.#log.warn({ err: error }, 'the egress log could not be written')
    }
  }
}
