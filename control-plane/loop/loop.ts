import { detach } from '../../src/domain/box.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { isDelivering, isWorking, type Phase, type Task } from '../../src/domain/task.ts'
import type { Log } from '../log.ts'
import { leaseMs } from './box-run.ts'
import { afterError } from './errors.ts'
import { reap } from './reap.ts'
import { isLeftOver, recover } from './recover.ts'
import { tick } from './tick.ts'
import type { LoopDeps, Work } from './work.ts'

export interface LoopOptions {
  /** Tasks worked on at once. */
  readonly limit: number
  /** What their boxes may be given together, MiB. */
  readonly memoryMb: number
  /** `all`: every pending task. `own`: only those that `attend` was called with. */
  readonly attend: 'own' | 'all'
}

/** Boxes that no attempt owns are looked for at start and this often, ms. */
const reapMs = 60_000

interface Worker {
  readonly fence: number
  /** What its box may use. */
  readonly memoryMb: number
  /** The repository that it delivers into: one at a time does. */
  readonly delivers: string | null
  readonly controller: AbortController
  readonly done: Promise<void>
  /** `rests`: others may have its place. `wakes`: it waits for one, before any task of the queue. */
  state: 'works' | 'rests' | 'wakes'
}

/** The parts of a delivery that are git's and a forge's alone. */
const boxless: ReadonlySet<Phase | null> = new Set<Phase>(['undo', 'push', 'pull_open'])

/** How often a task is tried whose record is damaged, some ten minutes in all: it keeps its place from others meanwhile. */
const mostDamaged = 30

/** How often one that wakes looks for a place, ms. */
const wakeMs = 1000

/** Claims pending tasks and turns each until it halts. The only caller of `tick`. */
export class Loop implements AsyncDisposable {
  readonly #deps: LoopDeps
  readonly #options: LoopOptions
  readonly #workers = new Map<TaskId, Worker>()
  readonly #attended = new Set<TaskId>()
  #unsubscribe: () => void = () => undefined
  #endReaper: () => void = () => undefined
  /** Null where nobody looks for left boxes at the moment. */
  #reaping: Promise<void> | null = null
  #claims = false
  readonly #ending = new AbortController()

  constructor(deps: LoopDeps, options: LoopOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** Puts back what a dead process left in flight and in folders. The engine is not asked for anything yet. */
  async recover(): Promise<void> {
    recover(this.#deps)
    await this.#deps.worktrees.sweep(this.#deps.store.discarded())
    // Not before: recovery changes tasks, and nobody may work on one while what is half made is swept away.
    this.#unsubscribe = this.#deps.bus.subscribe({ changed: (task) => this.#changed(task) })
  }

  /** Starts to claim, after `recover`. */
  start(): void {
    this.#claims = true
    for (const task of this.#deps.store.inFlight().filter(isLeftOver)) this.#employ(task)
    this.#reap()
    this.#endReaper = this.#deps.ticks.every(reapMs, () => this.#reap())
    this.#claim()
  }

  /** With `attend: 'own'`: from now on this task is claimed too. */
  attend(id: TaskId): void {
    this.#attended.add(id)
    this.#claim()
  }

  /** Resolves when nothing is done any more about a task that has halted. */
  async settled(id: TaskId): Promise<void> {
    await this.#workers.get(id)?.done
  }

  /** Stops claiming, leaves running boxes to the next process, and puts their tasks back into the queue. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#claims = false
    this.#ending.abort(detach)
    this.#endReaper()
    const workers = [...this.#workers]
    for (const [, worker] of workers) worker.controller.abort(detach)
    this.#deps.worktrees.end()
    await Promise.all([this.#reaping, ...workers.map(([, worker]) => worker.done)])
    this.#unsubscribe()
    for (const [id, worker] of workers) {
      const text = 'The process that ran it has ended; the next one goes on where it was.'
      this.#deps.tasks.report(id, worker.fence, { type: 'requeued', text, crashed: false })
    }
  }

  #changed(task: Task): void {
    const worker = this.#workers.get(task.id)
    if (worker !== undefined && !isWorking(task) && !isDelivering(task)) worker.controller.abort('halted')
    if (worker === undefined && this.#claims && isLeftOver(task)) this.#employ(task)
    if (task.status === 'PENDING' || isDelivering(task)) queueMicrotask(() => this.#claim())
  }

  /** A storage that fails here fails again at the next call, which comes with every change and every minute. */
  #claim(): void {
    try {
      this.#claimAll()
    } catch (error) {
      this.#deps.log.error({ err: error }, 'claiming failed')
    }
  }

  #claimAll(): void {
    this.#deliverAll()
    while (this.#claims && this.#isFree()) {
      const only = this.#options.attend === 'own' ? this.#attended : null
      const pending = this.#deps.store.oldestPending(new Set(this.#workers.keys()), only)
      // In order: a task that has to wait for room is not overtaken for ever by smaller ones.
      if (pending === null || !this.#hasRoom(pending)) return
      const leaseUntil = this.#deps.clock() + leaseMs
      const claimed = this.#deps.tasks.report(pending.id, pending.fence, { type: 'claimed', leaseUntil })
      if (claimed.kind === 'refused') return
      this.#employ(claimed.task)
    }
  }

  /**
   * What a person waits for comes before the queue, in the order in which it was decided, and one at a time in each
   * repository. What takes no box waits for none.
   */
  #deliverAll(): void {
    if (!this.#claims) return
    const taken = new Set([...this.#workers.values()].map(({ delivers }) => delivers))
    for (const task of this.#deps.store.delivering()) {
      const { key } = task.repository
      const isOurs = this.#options.attend === 'all' || this.#attended.has(task.id)
      if (!isOurs || taken.has(key)) continue
      taken.add(key)
      const mayBegin = boxless.has(task.phase) || (this.#isFree() && this.#hasRoom(task))
      if (mayBegin && !this.#workers.has(task.id)) this.#employ(task)
    }
  }

  /** Whether there is a place that nobody has, and nobody waits for who was here before. */
  #isFree(): boolean {
    const isAwaited = [...this.#workers.values()].some(
      ({ state, controller }) => state === 'wakes' && !controller.signal.aborted,
    )
    return !isAwaited && this.#active().length < this.#options.limit
  }

  #active(): readonly Worker[] {
    return [...this.#workers.values()].filter(
      ({ state, controller }) => state === 'works' && !controller.signal.aborted,
    )
  }

  /** A pause of minutes is no work: the queue goes on meanwhile. */
  async #rest(task: Task, ms: number, signal: AbortSignal): Promise<void> {
    const worker = this.#workers.get(task.id)
    if (worker === undefined) return
    worker.state = 'rests'
    this.#claim()
    await this.#deps.sleep(ms, signal)
    worker.state = 'wakes'
    while (!signal.aborted && !(this.#active().length < this.#options.limit && this.#hasRoom(task)))
      await this.#deps.sleep(wakeMs, signal)
    worker.state = 'works'
    // Whom it kept from the queue may go on.
    this.#claim()
  }

  /** A task has one box at a time. One that wants more than there is gets it when nobody else runs. */
  #hasRoom({ policy }: Task): boolean {
    const active = this.#active()
    const taken = active.reduce((sum, { memoryMb }) => sum + memoryMb, 0)
    return active.length === 0 || taken + policy.limits.memoryMb <= this.#options.memoryMb
  }

  #employ(task: Task): void {
    const controller = new AbortController()
    const done = this.#work(task, controller)
      .catch((error: unknown) => this.#logOf(task).error({ err: error }, 'a worker ended unexpectedly'))
      .finally(() => {
        this.#workers.delete(task.id)
        this.#claim()
      })
    const memoryMb = boxless.has(task.phase) ? 0 : task.policy.limits.memoryMb
    const delivers = isDelivering(task) ? task.repository.key : null
    this.#workers.set(task.id, { fence: task.fence, memoryMb, delivers, controller, done, state: 'works' })
  }

  /** Turns a task until it halts. An error that the storage would not even take is tried again after a pause. */
  async #work(employed: Task, controller: AbortController): Promise<void> {
    const { id, fence } = employed
    let task = employed
    // Asked outside of the try: a storage that fails while the process ends would be asked without a pause, for ever.
    for (let errors = 0; this.#claims;) {
      try {
        const now = this.#deps.store.task(id)
        if (now === null || now.fence !== fence || !wantsWork(now)) return
        // A delivery has to be its repository's turn.
        if (isDelivering(now) !== isDelivering(employed)) return
        task = now
        const failure = await this.#turn(task, controller, errors + 1)
        errors = failure === null ? 0 : errors + 1
        if (errors >= mostDamaged && this.#isDamaged(task, failure)) return
      } catch (error) {
        errors += 1
        this.#logOf(task).error({ err: error }, 'an error could not be recorded')
        if (errors >= mostDamaged && this.#isDamaged(task, error)) return
        await this.#deps.sleep(Math.min(30_000, 1000 * errors), this.#ending.signal)
        if (isDiskFull(error)) await this.#untilRoom(task, error)
      }
    }
  }

  /** Whether it is the record of this task that failed: with the storage it lies in nothing is wrong. */
  #isDamaged(task: Task, error: unknown): boolean {
    if (!(error instanceof Failure && error.code === 'database')) return false
    const { id, fence, step, attempt } = task
    const { store, clock } = this.#deps
    try {
      store.heartbeat(id, fence, { leaseUntil: clock() + leaseMs, chargeMs: 0, step, attempt })
    } catch {
      return false
    }
    this.#logOf(task).error('the record of the task is damaged: it is left alone until the next start')
    return true
  }

  /** Waits until something can be written again: until then a turn would only run its box or git for nothing. */
  async #untilRoom({ id, fence, step, attempt }: Task, reason: Failure): Promise<void> {
    const { store, bus, clock, sleep } = this.#deps
    const text = `${reason.message} Waiting for room on it.\n`
    for (let tries = 1; !this.#ending.signal.aborted; tries += 1) {
      try {
        store.heartbeat(id, fence, { leaseUntil: clock() + leaseMs, chargeMs: 0, step, attempt })
        return
      } catch (error) {
        if (!isDiskFull(error)) return
        if (tries === 1) bus.output(id, { step, box: 'disk', text })
        await sleep(Math.min(30_000, 1000 * tries), this.#ending.signal)
      }
    }
  }

  /** @returns what it failed with; null where it did not */
  async #turn(task: Task, controller: AbortController, tries: number): Promise<unknown> {
    const deps = this.#deps
    const { id, fence } = task
    // What a halt left is kept although the halt has aborted the work; only the end of this process interrupts it.
    const signal = isWorking(task) ? controller.signal : this.#ending.signal
    let written = false
    const report: Work['report'] = (input, along) => {
      const reported = deps.tasks.report(id, fence, input, along).kind === 'written'
      written ||= reported
      return reported
    }
    const rest = (ms: number): Promise<void> => this.#rest(task, ms, signal)
    const work: Work = { deps, task, signal, log: this.#logOf(task), report, rest }
    try {
      await tick(work)
      // Where somebody else has written, the next turn starts from that.
      if (!written && !signal.aborted && deps.store.task(id)?.version === task.version)
        throw new Error(`phase ${task.phase} made no progress`)
      return null
    } catch (error) {
      if (!signal.aborted) await afterError(work, error, tries)
      return error
    }
  }

  /** Every line about a task has these fields. */
  #logOf({ id, step, attempt, phase }: Task): Log {
    return this.#deps.log.child({ task: id, step, attempt, phase })
  }

  #reap(): void {
    this.#claim()
    // An engine that hangs for a night is not asked for each minute of it once it answers.
    this.#reaping ??= reap(this.#deps)
      .catch((error: unknown) => this.#deps.log.warn({ err: error }, 'looking for left boxes failed'))
      .finally(() => {
        this.#reaping = null
      })
  }
}

function isDiskFull(error: unknown): error is Failure {
  return error instanceof Failure && error.code === 'disk'
}

function wantsWork(task: Task): boolean {
  return isWorking(task) || isLeftOver(task) || isDelivering(task)
}
