import type { TaskId } from '../../src/domain/ids.ts'
import { brokenBy } from './invariants.ts'
import type { Reader, View } from './view.ts'

/** Looks at every write of every process, and notes the first that breaks an invariant. */
export class Watcher {
  readonly #reader: Reader
  readonly #known = new Map<TaskId, View>()
  readonly #claims = new Map<string, number>()
  /** What was wrong with the first write that was, by the names of the invariants; empty where none was. */
  broken: readonly string[] = []
  writes = 0

  constructor(reader: Reader) {
    this.#reader = reader
  }

  /** @returns what was written, for the history; null where nothing was */
  wrote(id: TaskId, writer: number): string | null {
    const before = this.#known.get(id) ?? null
    const now = this.#reader.view(id, before)
    if (now === null) return null
    this.#known.set(id, now)
    const fresh = now.events.filter(({ seq }) => seq > (before?.task.version ?? 0))
    const event = fresh[0] ?? null
    this.writes += 1
    const wrong: string[] = []
    if (fresh.length > 1) wrong.push(`transitions: ${fresh.length} events were written at once`)
    if (event?.type === 'claimed' && before !== null) {
      const claim = `${id} ${before.task.fence + 1}`
      if (this.#claims.has(claim)) wrong.push(`fences: fence ${before.task.fence + 1} was claimed twice`)
      this.#claims.set(claim, writer)
    }
    const claimedBy = (fence: number): number | null => this.#claims.get(`${id} ${fence}`) ?? null
    wrong.push(...brokenBy({ writer, before, now, event, claimedBy }))
    const where = `[process ${writer}, task ${id}, ${event?.type ?? 'heartbeat'}]`
    if (this.broken.length === 0) this.broken = wrong.map((each) => `${each} ${where}`)
    return event === null
      ? null
      : `${event.type} -> ${event.to_status} step ${event.step} fence ${event.fence}`
  }

  view(id: TaskId): View | null {
    return this.#known.get(id) ?? null
  }
}
