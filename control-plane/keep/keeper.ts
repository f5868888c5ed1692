import type { TaskId } from '../../src/domain/ids.ts'
import {
  auditEnd,
  clockSeen,
  type Due,
  dueOf,
  isSteady,
  type Leftover,
  type Retention,
} from '../../src/domain/retention.ts'
import type { Task } from '../../src/domain/task.ts'
import type { Worktrees } from '../../src/domain/worktree.ts'
import type { Log } from '../log.ts'
import type { OutputFiles } from '../loop/output-files.ts'
import { placeOf } from '../loop/work.ts'
import type { Store } from '../store/store.ts'
import type { Tasks } from '../tasks.ts'
import type { Ticks } from '../ticks.ts'

export interface KeeperDeps {
  readonly store: Pick<Store, 'task' | 'events'> & {
    readonly access: Pick<Store['access'], 'endAudit' | 'clockSeen' | 'seeClock'>
    readonly schedules: Pick<Store['schedules'], 'endOccurrences'>
  }
  readonly tasks: Pick<Tasks, 'report'>
  readonly worktrees: Pick<Worktrees, 'laidOut' | 'putAway' | 'discard'>
  readonly outputs: Pick<OutputFiles, 'kept' | 'remove'>
  readonly retention: Retention
  /** Resolves when nothing is done any more about a task that has halted. */
  readonly settled: (id: TaskId) => Promise<void>
  /** Epoch milliseconds. */
  readonly clock: () => number
  readonly ticks: Pick<Ticks, 'now'>
  readonly log: Log
}

/** The first look comes after what a command is for; then one an hour. Ages are counted in days. */
const firstMs = 2000
const everyMs = 3_600_000

/** Removes what tasks have left when the configuration says that it is old enough. */
export class Keeper implements AsyncDisposable {
  readonly #deps: KeeperDeps
  #timer: NodeJS.Timeout | null = null
  #round: Promise<void> = Promise.resolve()
  #closing = false
  /** When this process last looked at the clock, by the ticks. */
  #lookedAt: number | null = null

  constructor(deps: KeeperDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#wait(firstMs)
  }

  /** Looks at every task that has something on the disk, then at what only grows: the audit log and the runs of schedules. */
  async round(): Promise<void> {
    const { worktrees, outputs, clock, log } = this.#deps
    // What it was judged by is what is gone by: it may leap in between.
    const now = clock()
    const mayDiscard = this.#mayDiscard(now)
    const has: Readonly<Record<Leftover, ReadonlySet<TaskId>>> = {
      worktree: new Set(await worktrees.laidOut()),
      output: new Set(await outputs.kept()),
    }
    for (const id of new Set([...has.worktree, ...has.output])) {
      if (this.#closing) return
      const left = (['worktree', 'output'] as const).filter((what) => has[what].has(id))
      try {
        await this.#tidy(id, new Set(left), now, mayDiscard)
      } catch (error) {
        log.warn({ err: error, task: id }, 'what a task has left could not be removed')
      }
    }
    this.#endRows()
  }

  /** Whether the clock is believed with what cannot be had again. What was seen of it outlives the process. */
  #mayDiscard(now: number): boolean {
    const { store, retention, ticks, log } = this.#deps
    if (retention.undelivered === null) return false
    const tick = ticks.now()
    const ranMs = Math.round(tick - (this.#lookedAt ?? tick))
    this.#lookedAt = tick
    try {
      const seen = clockSeen(store.access.clockSeen(), now, ranMs)
      store.access.seeClock(seen)
      return isSteady(seen)
    } catch (error) {
      log.warn({ err: error }, 'what was seen of the clock could not be kept')
      return false
    }
  }

  /** After all that makes room: on a full disk nothing can be taken out of the database. */
  #endRows(): void {
    const { store, retention, clock, log } = this.#deps
    const before = auditEnd(retention, clock())
    if (before === null) return
    try {
      store.access.endAudit(before)
      store.schedules.endOccurrences(before)
    } catch (error) {
      log.warn({ err: error }, 'old rows of the database could not be removed')
    }
  }

  /** Ends after the task that it is at. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#round
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#round = this.round()
        .catch((error: unknown) => this.#deps.log.warn({ err: error }, 'looking for what is old failed'))
        .finally(() => {
          if (!this.#closing) this.#wait(everyMs)
        })
    }, ms)
    this.#timer.unref()
  }

  async #tidy(id: TaskId, has: ReadonlySet<Leftover>, now: number, mayDiscard: boolean): Promise<void> {
    const { store, retention, log } = this.#deps
    const task = store.task(id)
    // The work of a task that nobody knows may be worth more than the space.
    if (task === null) return
    const said = this.#lastSaid(task)
    if (said !== null && has.has(said)) await this.#remove(task, said)
    const left = new Set([...has].filter((what) => what !== said))
    for (const due of dueOf(task, left, retention, now)) {
      if (due.kind === 'put_away' || mayDiscard) await this.#do(task, due)
      else log.warn({ task: id }, 'old work is kept until the server has run for a day with this clock')
    }
  }

  /** What was said to be removed last, and may not be: the process may have ended in between. */
  #lastSaid({ id, version }: Task): Leftover | null {
    const last = this.#deps.store.events(id, version - 1, 1)[0]
    if (last?.type !== 'put_away') return null
    const what = last.data['what']
    return what === 'worktree' || what === 'output' ? what : null
  }

  /** Said first, then done: what is interrupted in between is done by the next round, or by the next sweep. */
  async #do(task: Task, due: Due): Promise<void> {
    const { tasks, worktrees, settled } = this.#deps
    const { id, fence } = task
    if (due.kind === 'put_away') {
      const { what, text } = due
      const said = tasks.report(id, fence, { type: 'put_away', text }, { data: { what } })
      if (said.kind === 'written') await this.#remove(task, what)
      return
    }
    const input = { type: 'discarded', text: due.text } as const
    if (tasks.report(id, fence, input, { surface: { closeAll: true } }).kind === 'refused') return
    await settled(id)
    await worktrees.discard(placeOf(task))
  }

  async #remove(task: Task, what: Leftover): Promise<void> {
    if (what === 'worktree') await this.#deps.worktrees.putAway(placeOf(task))
    else await this.#deps.outputs.remove(task.id)
  }
}
