import { Unreachable } from '../client/fetch.ts'
import { Failure } from '../domain/failure.ts'
import type { TaskId } from '../domain/ids.ts'
import type { Task } from '../domain/task.ts'
import type { Connection } from './connection.ts'
import type { Reporter } from './reporter.ts'
import type { Terminal } from './terminal.ts'

export interface Ways {
  /** Aborted: the task is to be stopped, wherever it is worked on. Following goes on until it is. */
  readonly stop?: AbortSignal
  /** Aborted: nobody looks any more. */
  readonly leave: AbortSignal
}

export interface FollowerDeps {
  readonly connection: Connection
  readonly reporter: Reporter
  readonly terminal: Terminal
  /** Told when this process has taken the work over. */
  readonly onTakeover: () => Promise<void>
}

/** Follows one task, from wherever it is worked on; when that process goes away, from wherever it goes on. */
export class Follower {
  readonly #deps: FollowerDeps
  readonly #id: TaskId
  #seq: number

  /** `after`: the events up to this `seq` are not shown. */
  constructor(deps: FollowerDeps, id: TaskId, after: number) {
    this.#deps = deps
    this.#id = id
    this.#seq = after
  }

  /** Shows what happens until `done` holds for the task and all its events are shown; null when left before. */
  async until(done: (task: Task) => boolean, ways: Ways): Promise<Task | null> {
    try {
      return await this.#persist(done, ways)
    } catch (error) {
      if (ways.leave.aborted) return null
      throw error
    }
  }

  /** Looks again, wherever the task goes on, each time that the control plane goes away. */
  async #persist(done: (task: Task) => boolean, ways: Ways): Promise<Task | null> {
    const { connection, onTakeover } = this.#deps
    for (;;) {
      try {
        return await this.#look(done, ways)
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error
      }
      if (await connection.again(ways.leave)) await onTakeover()
    }
  }

  async #look(done: (task: Task) => boolean, { stop, leave }: Ways): Promise<Task | null> {
    const { client } = this.#deps.connection
    const onStop = (): void => void this.#stop()
    if (stop?.aborted === true) onStop()
    else stop?.addEventListener('abort', onStop)
    const looked = new AbortController()
    try {
      const before = await this.#finished(done)
      if (before !== null) return before
      const signal = AbortSignal.any([leave, looked.signal])
      const sights = await client.watch(this.#id, this.#seq, signal)
      await client.attend(this.#id)
      for await (const sight of sights) {
        this.#deps.reporter.sight(sight)
        await this.#deps.terminal.drained()
        if (sight.kind === 'output') continue
        this.#seq = sight.event.seq
        // A replayed event comes with the task as it is now, so what is left to show decides as well.
        const task = done(sight.task) ? await this.#finished(done) : null
        if (task !== null) return task
      }
      return null
    } finally {
      stop?.removeEventListener('abort', onStop)
      looked.abort()
    }
  }

  /** The task where it is done and nothing about it is left to show. */
  async #finished(done: (task: Task) => boolean): Promise<Task | null> {
    const { client } = this.#deps.connection
    const task = await client.task(this.#id)
    if (!done(task)) return null
    return (await client.events(this.#id, this.#seq)).length === 0 ? task : null
  }

  /** A task that has just ended needs no stopping; where nobody answers, it is stopped where it goes on. */
  async #stop(): Promise<void> {
    try {
      await this.#deps.connection.client.act(this.#id, { act: 'stop', text: null })
    } catch (error) {
      if (error instanceof Unreachable || (error instanceof Failure && error.code === 'conflict')) return
      this.#deps.reporter.note(error instanceof Failure ? error.message : 'The task could not be stopped.')
    }
  }
}
