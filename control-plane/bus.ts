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
  changed?(task: Task): void
  output?(id: TaskId, output: Output): void
}

/**
 * Tells what was written to those who wait for it, in this process. Listeners must not block. One that throws keeps nobody
 * else from being told, nor makes a failure of what is on record already.
 */
export class Bus {
  readonly #listeners = new Set<BusListener>()
  readonly #failed: (error: unknown) => void

  /** @param failed hears what a listener threw; without it, that ends the process as any bug does */
  constructor(failed: (error: unknown) => void = uncaught) {
    this.#failed = failed
  }

  /** @returns what ends the subscription */
  subscribe(listener: BusListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  changed(task: Task): void {
    this.#tell((listener) => listener.changed?.(task))
  }

  output(id: TaskId, output: Output): void {
    this.#tell((listener) => listener.output?.(id, output))
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
