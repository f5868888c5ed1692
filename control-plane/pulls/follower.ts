import { openSurface } from '../gate/surfaces.ts'
import type { PullPlaces, PullState } from '../../src/domain/delivery/forge.ts'
import { isSamePlace, type Pull, pullName } from '../../src/domain/delivery/pull.ts'
import { waitOf } from '../../src/domain/delivery/look-wait.ts'
import { messageOf } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Input } from '../../src/domain/input.ts'
import type { Task } from '../../src/domain/task.ts'
import { transition } from '../../src/domain/transition/apply.ts'
import type { Log } from '../log.ts'
import type { Store } from '../store/store.ts'
import type { Tasks } from '../tasks.ts'
import type { Ticks } from '../ticks.ts'

export interface FollowerDeps {
  readonly store: Pick<Store, 'proposed'>
  readonly tasks: Pick<Tasks, 'report'>
  readonly pulls: PullPlaces
  readonly clock: () => number
  readonly ticks: Pick<Ticks, 'every' | 'now'>
  readonly log: Pick<Log, 'warn' | 'error'>
}

/** How often it is looked whether one is due, ms. */
const roundMs = 15_000

interface Watched {
  /** Looks in a row that found nothing new. */
  readonly looks: number
  /** As `ticks` count. */
  readonly nextAt: number
}

/**
 * Looks at pull requests until they are merged or closed, each less and less often, and one at a time. What is known of the
 * pauses goes with the process: the next one looks at each of them once, at its start.
 */
export class PullFollower implements AsyncDisposable {
  readonly #deps: FollowerDeps
  readonly #watched = new Map<TaskId, Watched>()
  readonly #ending = new AbortController()
  #end: () => void = () => undefined
  #round: Promise<void> | null = null

  constructor(deps: FollowerDeps) {
    this.#deps = deps
  }

  start(): void {
    void this.round()
    this.#end = this.#deps.ticks.every(roundMs, () => void this.round())
  }

  /** Looks at those that are due; resolves when that is done. */
  async round(): Promise<void> {
    if (this.#ending.signal.aborted) return
    this.#round ??= this.#lookAtAll()
      .catch((error: unknown) => this.#deps.log.error({ err: error }, 'following pull requests failed'))
      .finally(() => {
        this.#round = null
      })
    await this.#round
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end()
    this.#ending.abort()
    await this.#round
  }

  async #lookAtAll(): Promise<void> {
    const { store, ticks } = this.#deps
    const proposed = store.proposed()
    const ids = new Set(proposed.map(({ id }) => id))
    for (const id of this.#watched.keys()) if (!ids.has(id)) this.#watched.delete(id)
    for (const task of proposed) {
      if (this.#ending.signal.aborted) return
      const { looks, nextAt } = this.#watched.get(task.id) ?? { looks: 0, nextAt: 0 }
      if (nextAt > ticks.now()) continue
      await this.#lookAt(task)
      this.#watched.set(task.id, { looks: looks + 1, nextAt: ticks.now() + waitOf(looks) })
    }
  }

  async #lookAt(task: Task): Promise<void> {
    const { pulls, log } = this.#deps
    const { pull } = task
    const place = pulls(task.repository.path)
    if (pull === null || pull.number === null || place === null || !isSamePlace(place.settings, pull)) return
    try {
      const forge = await place.forge()
      const input = ended(pull, await forge.look(pull.number, this.#ending.signal))
      if (input !== null) this.#report(task, input)
    } catch (error) {
      if (this.#ending.signal.aborted) return
      log.warn({ task: task.id, why: messageOf(error) }, 'a pull request could not be looked at')
    }
  }

  #report(task: Task, input: Input): void {
    const { tasks, clock } = this.#deps
    const after = transition(task, input, clock())
    if (after.kind === 'refused') return
    const open = openSurface(after.task, clock())
    const surface = { closeAll: true, ...(open.actions.length === 0 ? {} : { open }) }
    tasks.report(task.id, task.fence, input, { surface })
  }
}

/** What has become of it; null where it is still open. */
function ended(pull: Pull, { state }: PullState): Input | null {
  const name = pullName(pull)
  switch (state) {
    case 'open':
      return null
    case 'merged':
      return { type: 'pull_merged', text: `${name} is merged into ${pull.into} there.` }
    case 'closed':
      return { type: 'pull_closed', text: `${name} was closed there, and is not merged.` }
  }
}
