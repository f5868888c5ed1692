import type { Millis } from '../../src/domain/brand.ts'
import { Failure, type FailureCode, messageOf } from '../../src/domain/failure.ts'
import { rulingsOf, type Ruling } from '../../src/domain/schedule/due.ts'
import { mostWaiting, type Occurrence, type Schedule } from '../../src/domain/schedule/schedule.ts'
import { nextAfter } from '../../src/domain/schedule/timing.ts'
import { idUnder } from '../gate/submissions.ts'
import type { Log } from '../log.ts'
import type { Store } from '../store/store.ts'
import type { Ticks } from '../ticks.ts'
import { actorOf, makeRun, type RunDeps } from './runs.ts'

export interface SchedulerDeps extends RunDeps {
  readonly store: Pick<Store, 'schedules' | 'task'>
  readonly ticks: Ticks
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
}

/** A timer does not count the time for which a machine is suspended: the clock is looked at again after so long, ms. */
const longestWaitMs = 30_000

/** What mends itself or is mended outside: the run is tried again, until it counts as missed. */
const passing: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'busy',
  'data_folder',
  'database',
  'disk',
  'engine',
  'remote',
  'worktree',
])

/** Makes tasks of the runs that schedules have planned. Several processes may do so on one database. */
export class Scheduler implements AsyncDisposable {
  readonly #deps: SchedulerDeps
  /** When something is to be decided next, for each schedule as it was seen last: to compute it takes long. */
  readonly #next = new Map<string, { readonly of: string; readonly at: Millis | null }>()
  /** Null where no look is planned. */
  #endTimer: (() => void) | null = null
  #scan: Promise<void> = Promise.resolve()
  #started = false
  #closing = false

  constructor(deps: SchedulerDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#started = true
    this.#wait(0)
  }

  /** Looks again soon: a schedule was changed. */
  wake(): void {
    if (this.#started) this.#wait(0)
  }

  /** Decides all that is due now. One scan at a time. */
  scan(): Promise<void> {
    this.#scan = this.#scan.then(() => this.#all())
    return this.#scan
  }

  /** Ends after the run that is being made. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true
    this.#endTimer?.()
    await this.#scan
  }

  #wait(ms: Millis): void {
    if (this.#closing) return
    this.#endTimer?.()
    this.#endTimer = this.#deps.ticks.later(ms, () => {
      this.#endTimer = null
      void this.scan().finally(() => {
        if (this.#endTimer === null) this.#wait(this.#untilNext())
      })
    })
  }

  /** What is still due then could not be decided, and is tried again at the usual pace. */
  #untilNext(): Millis {
    const now = this.#deps.clock()
    const waits = [...this.#next.values()].flatMap(({ at }) => (at !== null && at > now ? [at - now] : []))
    return Math.min(longestWaitMs, ...waits)
  }

  async #all(): Promise<void> {
    try {
      const schedules = this.#deps.store.schedules.all().filter(({ enabled, gone }) => enabled && !gone)
      const names = new Set(schedules.map(({ name }) => name))
      for (const name of this.#next.keys()) if (!names.has(name)) this.#next.delete(name)
      for (const schedule of schedules) await this.#one(schedule)
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'looking for what schedules have planned failed')
    }
  }

  async #one(schedule: Schedule): Promise<void> {
    const { clock, log, store } = this.#deps
    const { name, revision } = schedule
    try {
      const now = clock()
      // The clock was put back. What was decided stays on record, so that nothing is done twice.
      if (schedule.decidedTo > now) store.schedules.decidedTo(name, revision, now)
      const [waiting] = store.schedules.waiting(name)
      if (waiting !== undefined && store.schedules.underWay(name) === null) {
        await this.#make(schedule, waiting.plannedAt, 'It has waited for the task before it.')
      }
      if (this.#nextOf(schedule, now) > now) return
      for (const ruling of rulingsOf(schedule, now)) {
        if (this.#closing || !(await this.#decide(schedule, ruling))) break
      }
    } catch (error) {
      log.warn({ err: error, schedule: name }, 'a schedule could not be looked at')
    } finally {
      const after = store.schedules.schedule(name)
      if (after !== null) this.#nextOf(after, clock())
    }
  }

  #nextOf(schedule: Schedule, now: Millis): Millis {
    const { name, revision, timing } = schedule
    const from = Math.min(schedule.decidedTo, now)
    const of = `${revision} ${from}`
    const known = this.#next.get(name)
    const next = known?.of === of ? known : { of, at: nextAfter(timing, from) }
    this.#next.set(name, next)
    return next.at ?? Infinity
  }

  /** False where it is to be tried again later. */
  async #decide(schedule: Schedule, { what, plannedAt, text }: Ruling): Promise<boolean> {
    const { schedules } = this.#deps.store
    const { name, overlap } = schedule
    if (what === 'missed') return this.#settle(schedule, plannedAt, 'missed', text)
    if (overlap === 'allow') return this.#make(schedule, plannedAt, text)
    const busy = schedules.underWay(name)
    const waiting = overlap === 'queue' ? schedules.waiting(name).length : 0
    if (busy === null && waiting === 0) return this.#make(schedule, plannedAt, text)
    const before = busy === null ? 'Another run' : `Task ${busy} of this schedule`
    if (overlap === 'skip')
      return this.#settle(
        schedule,
        plannedAt,
        'skipped',
        `${before} was not at rest: overlapping runs are skipped.`,
      )
    return waiting < mostWaiting
      ? this.#settle(schedule, plannedAt, 'waiting', `${before} was not at rest: this one waits.`)
      : this.#settle(schedule, plannedAt, 'skipped', `${mostWaiting} runs wait already.`)
  }

  async #make(schedule: Schedule, plannedAt: Millis, text: string): Promise<boolean> {
    const { log, store } = this.#deps
    const { name, overlap, revision } = schedule
    const actor = actorOf(schedule)
    // The same for everyone who makes this run.
    const id = idUnder(`${name} ${plannedAt}`, actor)
    const occurrence = { schedule: name, plannedAt, kind: 'planned' } as const
    const alone = overlap !== 'allow'
    try {
      const made = await makeRun(this.#deps, schedule, { id, occurrence, actor, text, alone })
      if (made.kind === 'made') {
        log.info({ schedule: name, task: made.task.id, plannedAt }, 'a schedule has made a task')
        return true
      }
      switch (made.reason) {
        case 'overlap':
          return await this.#decide(schedule, { what: 'run', plannedAt, text })
        case 'decided':
          store.schedules.decidedTo(name, revision, plannedAt)
          return true
        case 'schedule':
          return false
        default:
          return this.#settle(schedule, plannedAt, 'skipped', `Task ${id} was made of it before.`)
      }
    } catch (error) {
      const isFailure = error instanceof Failure
      if (isFailure && passing.has(error.code)) {
        log.warn({ err: error, schedule: name, plannedAt }, 'a run of a schedule is tried again')
        return false
      }
      if (!isFailure) log.error({ err: error, schedule: name, plannedAt }, 'a run of a schedule failed')
      return this.#settle(schedule, plannedAt, 'failed', `No task could be made: ${messageOf(error)}`)
    }
  }

  #settle(schedule: Schedule, plannedAt: Millis, state: Occurrence['state'], text: string): boolean {
    const { clock, log, store } = this.#deps
    const { name, revision } = schedule
    const occurrence = {
      schedule: name,
      plannedAt,
      kind: 'planned',
      state,
      task: null,
      text,
      at: clock(),
    } as const
    const refused = store.schedules.settle({ occurrence, revision, alone: false })
    if (refused === 'decided') store.schedules.decidedTo(name, revision, plannedAt)
    if (refused === null)
      log.info({ schedule: name, plannedAt, state, text }, 'a run of a schedule is decided')
    return refused !== 'schedule'
  }
}
