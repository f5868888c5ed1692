import { offerOf } from '../gate/surfaces.ts'
import type { PullPlaces, PullState } from '../../src/domain/delivery/forge.ts'
import { isSamePlace, type Pull, pullName } from '../../src/domain/delivery/pull.ts'
import { waitOf } from '../../src/domain/delivery/look-wait.ts'
import { Failure, messageOf } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Input } from '../../src/domain/input.ts'
import type { KnownSecrets } from '../../src/domain/leak.ts'
import type { Task } from '../../src/domain/task.ts'
import { transition } from '../../src/domain/transition/apply.ts'
import type { Log } from '../log.ts'
import type { Store } from '../store/store.ts'
import type { Tasks } from '../tasks.ts'
import type { Ticks } from '../ticks.ts'

export interface FollowerDeps {
  readonly store: Pick<Store, 'proposed' | 'task'>
  readonly tasks: Pick<Tasks, 'report'>
  readonly pulls: PullPlaces
  readonly clock: () => number
  readonly ticks: Pick<Ticks, 'every' | 'now'>
  readonly log: Pick<Log, 'warn' | 'error'>
  /** A forge may say again what it was told, and what it says goes on record. */
  readonly secrets: Pick<KnownSecrets, 'redact'>
}

/** How often it is looked whether one is due, ms. */
const roundMs = 15_000
/** A forge that is away for a moment is no reason to tell anybody: so many looks in a row it may be. */
const patience = 3
/** How all that is on record of a look that failed ends, and nothing else. */
const failedEnd = ' It is looked at again.'

interface Watched {
  /** Looks in a row that found nothing new. */
  readonly looks: number
  /** Those of them that failed, the last one included; 0 where that did not. */
  readonly failed: number
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
      const { looks, failed, nextAt } = this.#watched.get(task.id) ?? { looks: 0, failed: 0, nextAt: 0 }
      if (nextAt > ticks.now()) continue
      const isSeen = await this.#lookAt(task, failed)
      this.#watched.set(task.id, {
        looks: looks + 1,
        failed: isSeen ? 0 : failed + 1,
        nextAt: ticks.now() + waitOf(looks),
      })
    }
  }

  /** @returns false where it could not be looked at; that is on record then, unless it may pass by itself */
  async #lookAt(task: Task, failed: number): Promise<boolean> {
    const { pulls, log, secrets } = this.#deps
    const { pull, repository } = task
    if (pull === null || pull.number === null) return true
    const place = pulls(repository.path)
    if (place === null || !isSamePlace(place.settings, pull)) {
      this.#note(task, elsewhere(task.id, pull, repository.path))
      return false
    }
    try {
      const forge = await place.forge()
      const input = ended(pull, await forge.look(pull.number, this.#ending.signal))
      if (input === null) this.#note(task, null)
      else this.#report(task, input)
      return true
    } catch (error) {
      if (this.#ending.signal.aborted) return true
      log.warn({ task: task.id, why: messageOf(error) }, 'a pull request could not be looked at')
      const mayPass = error instanceof Failure && error.code === 'busy' && failed + 1 < patience
      if (!mayPass) this.#note(task, secrets.redact(messageOf(error)) + failedEnd)
      return false
    }
  }

  /**
   * Puts on record whether it is followed, and why not, where that is another than before. A forge may say something else
   * with each look that fails: the first of them stands.
   */
  #note(looked: Task, unfollowed: string | null): void {
    const task = this.#stillOpen(looked)
    if (task?.pull == null || unfollowed === task.pull.unfollowed) return
    if (isFailedLook(unfollowed) && isFailedLook(task.pull.unfollowed)) return
    const name = pullName(task.pull)
    const text = unfollowed === null ? `${name} is followed again.` : `${name} is not followed: ${unfollowed}`
    this.#deps.tasks.report(task.id, task.fence, { type: 'pull_looked', text, unfollowed })
  }

  #report(looked: Task, input: Input): void {
    const { tasks, clock } = this.#deps
    const task = this.#stillOpen(looked)
    if (task === null) return
    const after = transition(task, input, clock())
    if (after.kind === 'refused') return
    const surface = { closeAll: true, ...offerOf(after.task, clock()) }
    tasks.report(task.id, task.fence, input, { surface })
  }

  /** The task as it is now; null where an owner has ended that pull request meanwhile, and may have had another opened. */
  #stillOpen({ id, pull }: Task): Task | null {
    const now = this.#deps.store.task(id)
    const isSame = now?.pull?.number === pull?.number && now?.pull?.at === pull?.at
    return now?.delivery === 'pr_open' && isSame ? now : null
  }
}

const isFailedLook = (unfollowed: string | null): boolean => unfollowed?.endsWith(failedEnd) === true

function elsewhere(id: TaskId, { project, remote }: Pull, repository: string): string {
  return `${project} at ${remote} is no longer where pull requests of ${repository} are opened. Name it in the configuration again and start Cofferdam anew, or say what has become of it: \`cofferdam task pull-ended ${id} --merged\` or \`cofferdam task pull-ended ${id} --closed\`.`
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
