import type { TaskId } from '../../src/domain/ids.ts'
import { brokenBy } from './invariants.ts'
import type { Reader, View } from './view.ts'

/** Looks at every write of every process, and notes the first that breaks an invariant. */
export class Watcher {
  readonly #reader: Reader
  readonly #known = new Map<TaskId, View>()
  readonly #claims = new Map<string, number>()
  /** What went wrong first, or null. */
  broken: string | null = null
  writes = 0

  constructor(reader: Reader) {
    this.#reader = reader
  }

  /** @returns what was written, for the history; null where nothing was */
  wrote(id: TaskId, writer: number): string | null {
    const before = this.#known.get(id) ?? null
    const now = this.#reader.view(id)
    if (now === null) return null
    this.#known.set(id, now)
    const fresh = now.events.filter(({ seq }) => seq > (before?.task.version ?? 0))
    const event = fresh[0] ?? null
    this.writes += 1
    if (fresh.length > 1) this.broken ??= `transitions: ${fresh.length} events were written at once`
    if (event?.type === 'claimed' && before !== null) {
      const claim = `${id} ${before.task.fence + 1}`
      if (this.#claims.has(claim)) this.broken ??= `fences: fence ${before.task.fence + 1} was claimed twice`
      this.#claims.set(claim, writer)
    }
    const claimedBy = (fence: number): number | null => this.#claims.get(`${id} ${fence}`) ?? null
    const wrong = brokenBy({ writer, before, now, event, claimedBy })
    if (wrong !== null) this.broken ??= `${wrong} [task ${id}, ${event?.type ?? 'heartbeat'}]`
    return event === null
      ? null
      : `${event.type} -> ${event.to_status} step ${event.step} fence ${event.fence}`
  }

  view(id: TaskId): View | null {
    return this.#known.get(id) ?? null
  }
}
