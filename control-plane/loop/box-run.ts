import type { AgentReading } from '../../src/domain/agent.ts'
import { type BoxResult, detach } from '../../src/domain/box.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { EgressCounts } from '../../src/domain/egress.ts'
import type { Unavailable } from '../../src/domain/gateway.ts'
import { BoxNotices } from './notices.ts'
import type { Spending } from './overseer.ts'
import { openPassage } from './passage.ts'
import { ShownOutput } from './shown-output.ts'
import type { Planned } from './under-way.ts'
import { placeOf, type Work } from './work.ts'

/** How often time is charged and the lease extended while a box runs, ms. */
const heartbeatMs = 1000
/** A heartbeat so late says that this process was suspended, ms: its box may have ended long ago. */
const lateMs = 5000
/** How far a heartbeat moves the lease, ms. On one machine the folder's lock decides who works; the lease is on record. */
export const leaseMs = 30_000

/**
 * Runs the box that a row of intent names, or takes it over where it is. Its time is charged while it runs, so that a
 * crash in the middle loses at most a second of it.
 * @param line reads what it prints, for those who look on; null where that is shown as it is
 * @returns null when the work is no longer ours: the task was halted or this process ends
 */
export async function attendBox(
  work: Work,
  row: Planned,
  line: AgentReading['line'] = null,
): Promise<Attended | null> {
  const { deps, task, signal } = work
  const spec = row.box
  const notices = new BoxNotices(work, spec)
  const output = new ShownOutput(work, spec, notices, line)
  const charge = new Charge(work, row)
  const unavailable: Unavailable[] = []
  const over = new AbortController()
  const passage = openPassage(work, spec, notices, {
    spent: (spending) => charge.spend(spending),
    unavailable(provider) {
      unavailable.push(provider)
      over.abort()
    },
  })
  let egress: EgressCounts | null = null
  let result: BoxResult
  try {
    const sources = deps.worktrees.materials(placeOf(task))
    result = await deps.engine.run(
      spec,
      { ...sources, accept: (connection) => passage.accept(connection) },
      { started: (at) => charge.start(at), output: (chunk) => output.write(chunk) },
      AbortSignal.any([signal, over.signal]),
    )
    charge.finish(result)
  } catch (error) {
    if (signal.aborted && signal.reason === detach) return null
    throw error
  } finally {
    // One that fails must not keep the others open.
    try {
      charge.stop()
    } finally {
      try {
        egress = await passage.close()
      } finally {
        await output.end()
      }
    }
  }
  return signal.aborted
    ? null
    : { ...result, output: output.clean(result.output), egress, unavailable: unavailable[0] ?? null }
}

/** What a box came to, with what it did over its channel; null for a box without one. */
export type Attended = BoxResult & {
  readonly egress: EgressCounts | null
  /** Why it was ended, where its provider let nothing through. */
  readonly unavailable: Unavailable | null
}

/**
 * Charges a box's time to the task as it goes by: by a clock that stands still while the machine sleeps, as its boxes do.
 * What was charged is never given back, so a process that was suspended waits for the next heartbeat.
 */
class Charge {
  readonly #work: Work
  readonly #row: Planned
  /** What its box may run, ms. More is no work: the machine slept while nobody looked on, or the engine was slow to say that it is over. */
  readonly #most: number
  #charged: number
  #elapsed: (() => number) | null = null
  #beatAt = 0
  #end: () => void = () => undefined

  constructor(work: Work, row: Planned) {
    this.#work = work
    this.#row = row
    this.#charged = row.charged
    this.#most = row.box.limits.seconds * 1000 + heartbeatMs
  }

  start(at: number): void {
    const before = this.#work.deps.clock() - at
    const { ticks } = this.#work.deps
    const since = ticks.now()
    this.#elapsed = () => before + ticks.now() - since
    this.#beatAt = since
    this.#end = ticks.every(heartbeatMs, () => this.#beatSafely())
  }

  /** What a model was paid, at once: the next call is measured by what is left. Throws where the task is no longer ours. */
  spend({ tokens, costUsd }: Spending): void {
    const { deps, task } = this.#work
    const { step, attempt } = this.#row
    const beat = { leaseUntil: deps.clock() + leaseMs, chargeMs: 0, step, attempt }
    const charges = { ...beat, chargeTokens: tokens, chargeCostUsd: costUsd }
    if (!deps.store.heartbeat(task.id, task.fence, charges))
      throw new Error(`task ${task.id} was halted or taken by another: nothing more is spent for it`)
    const spent = deps.store.task(task.id)?.spent
    if (spent === undefined) return
    const progress = [{ kind: 'spent', tokens: spent.tokens, costUsd: spent.costUsd }] as const
    deps.bus.output(task.id, { step, box: this.#row.box.kind, text: '', progress })
  }

  finish(result: BoxResult): void {
    const ran = result.endedAt - result.startedAt
    try {
      this.#beat(this.#elapsed === null ? ran : Math.min(ran, this.#elapsed() + heartbeatMs))
    } catch (error) {
      // The result is worth more than a second that nobody is charged.
      if (!(error instanceof Failure) || error.code !== 'disk') throw error
      this.#work.log.warn({ err: error }, 'the last heartbeat failed')
    }
  }

  stop(): void {
    this.#end()
  }

  /** A storage that fails for a moment costs nothing: the next beat charges what this one could not. */
  #beatSafely(): void {
    const now = this.#work.deps.ticks.now()
    const late = now - this.#beatAt > lateMs
    this.#beatAt = now
    try {
      this.#beat(late ? 0 : (this.#elapsed?.() ?? 0))
    } catch (error) {
      this.#work.log.warn({ err: error }, 'a heartbeat failed')
    }
  }

  #beat(elapsed: number): void {
    const { deps, task } = this.#work
    const chargeMs = Math.max(0, Math.round(Math.min(elapsed, this.#most)) - this.#charged)
    const beat = {
      leaseUntil: deps.clock() + leaseMs,
      chargeMs,
      step: this.#row.step,
      attempt: this.#row.attempt,
    }
    // A refusal means that the task was halted or taken by another: the abort signal says so to the rest.
    if (deps.store.heartbeat(task.id, task.fence, beat)) this.#charged += chargeMs
  }
}
