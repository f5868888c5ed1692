import { type BoxResult, detach } from '../../src/domain/box.ts'
import type { Checkpoint } from '../../src/domain/task.ts'
import type { Planned } from './under-way.ts'
import { placeOf, type Work } from './work.ts'

/** How often time is charged and the lease extended while a box runs, ms. */
const heartbeatMs = 1000
/** How far a heartbeat moves the lease, ms. On one machine the folder's lock decides who works; the lease is on record. */
export const leaseMs = 30_000

/**
 * Runs the box that a row of intent names, or takes it over where it is. Its time is charged while it runs, so that a
 * crash in the middle loses at most a second of it.
 * @returns null when the work is no longer ours: the task was halted or this process ends
 */
export async function attendBox(work: Work, row: Planned): Promise<BoxResult | null> {
  const { deps, task, signal } = work
  const spec = row.box
  const file = deps.outputs.start(spec)
  const decoder = new TextDecoder()
  const charge = new Charge(work, row)
  try {
    const result = await deps.engine.run(
      spec,
      deps.worktrees.materials(placeOf(task)),
      {
        started: (at) => charge.start(at),
        output: (chunk) => {
          file.write(chunk)
          deps.bus.output(task.id, {
            step: spec.step,
            box: spec.kind,
            text: decoder.decode(chunk, { stream: true }),
          })
        },
      },
      signal,
    )
    charge.finish(result)
    return signal.aborted ? null : result
  } catch (error) {
    if (signal.aborted && signal.reason === detach) return null
    throw error
  } finally {
    charge.stop()
    await file.end()
  }
}

/** Charges a box's time to the task as it goes by. */
class Charge {
  readonly #work: Work
  readonly #row: Checkpoint
  #charged: number
  #startedAt: number | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(work: Work, row: Checkpoint) {
    this.#work = work
    this.#row = row
    this.#charged = row.charged
  }

  start(at: number): void {
    this.#startedAt = at
    this.#timer = setInterval(() => this.#beatSafely(at), heartbeatMs)
  }

  finish(result: BoxResult): void {
    if (this.#startedAt !== null || result.end !== 'engine') this.#beat(result.endedAt - result.startedAt)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  /** A storage that fails for a moment costs nothing: the next beat charges what this one could not. */
  #beatSafely(startedAt: number): void {
    try {
      this.#beat(this.#work.deps.clock() - startedAt)
    } catch (error) {
      this.#work.log.warn({ err: error }, 'a heartbeat failed')
    }
  }

  #beat(elapsed: number): void {
    const { deps, task } = this.#work
    const chargeMs = Math.max(0, Math.round(elapsed) - this.#charged)
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
