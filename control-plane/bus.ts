import type { AgentProgress } from '../src/domain/agent.ts'
import type { TaskId } from '../src/domain/ids.ts'
import type { Task } from '../src/domain/task.ts'

/** A piece of a box's output, as it comes. Not stored here: the log file has it. */
export interface Output {
  readonly step: number
  readonly box: string
  readonly text: string
  /** What the text says, where it is what an agent did. */
  readonly progress?: readonly AgentProgress[]
}

export interface BusListener {
  /** A transition of the task was written; its event is in the store. */
  changed?(task: Task, type: string): void
  output?(id: TaskId, output: Output): void
}

/**
 * Tells what was written to those who wait for it, in this process. Listeners must not block. One that throws keeps nobody
 * else from being told, nor makes a failure of what is on record already.
 */
export class Bus {
  readonly #listeners = new Set<BusListener>()
  readonly #failed: (error: unknown) => void
  #held: (() => void)[] | null = null

  /** @param failed hears what a listener threw; without it, that ends the process as any bug does */
  constructor(failed: (error: unknown) => void = uncaught) {
    this.#failed = failed
  }

  /** @returns what ends the subscription */
  subscribe(listener: BusListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** @param type that of its event */
  changed(task: Task, type: string): void {
    this.#soon(() => this.#tell((listener) => listener.changed?.(task, type)))
  }

  /**
   * Does `act`, which must not wait, and keeps to itself what changes meanwhile. @returns also what tells it: within another
   * `act`, once that one's is told
   */
  held<T>(act: () => T): { readonly result: T; readonly tell: () => void } {
    const before = this.#held
    const held: (() => void)[] = []
    this.#held = held
    try {
      const result = act()
      return { result, tell: () => held.forEach((tell) => this.#soon(tell)) }
    } finally {
      this.#held = before
    }
  }

  output(id: TaskId, output: Output): void {
    this.#tell((listener) => listener.output?.(id, output))
  }

  #soon(tell: () => void): void {
    if (this.#held === null) tell()
    else this.#held.push(tell)
  }

  #tell(tell: (listener: BusListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        tell(listener)
      } catch (error) {
        this.#failed(error)
      }
    }
  }
}

function uncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
