import { setImmediate } from 'node:timers/promises'
import type { TaskId } from '../../src/domain/ids.ts'
import { documentOf, searchable } from '../../src/domain/search/document.ts'
import type { Bus } from '../bus.ts'
import type { Entry, SearchIndex } from '../store/search/index.ts'
import type { Store } from '../store/store.ts'
import type { TaskVersion } from '../store/texts.ts'

export interface IndexerDeps {
  readonly store: Pick<Store, 'texts' | 'versions' | 'counts' | 'task'>
  readonly index: SearchIndex
  readonly bus: Bus
  readonly log: { warn(fields: object, message: string): void }
}

/** A start is not disturbed for so long, and a short command is through by then, ms. */
const startMs = 1000
/** Tasks that change are put in again after this long, once for all that happened meanwhile; a search does not wait, ms. */
const restMs = 5000
/** Work that nobody waits for is done in pieces of about so long, with pauses in between, ms. */
const pieceMs = 5
const pauseMs = 15
/** After a failure of the storage, ms. */
const retryMs = 30_000
/** So many tasks are compared at a time, and put in by one transaction. */
const compared = 500
const together = 8

/**
 * Keeps the index as the store is: told of changes by the bus, and after a start by comparing the version of every task,
 * the newest first. So it needs no mark in any transaction, and a crash anywhere costs nothing but the comparison, which is
 * made anyway. A task is in the index as it was, or as it is, or, at first, not yet.
 */
export class Indexer implements Disposable {
  readonly #deps: IndexerDeps
  readonly #stale = new Set<TaskId>()
  /** Where the comparison is; null when it is through. */
  #scan: { readonly before: Pick<TaskVersion, 'id' | 'createdAt'> | null } | null = { before: null }
  #generation = 1
  #untended = true
  #timer: NodeJS.Timeout | null = null
  readonly #unsubscribe: () => void

  constructor(deps: IndexerDeps) {
    this.#deps = deps
    this.#unsubscribe = deps.bus.subscribe({ changed: ({ id }) => this.#changed(id) })
    this.#schedule(startMs)
  }

  /** Waits until all is in the index, at most so long. @returns how many tasks are not, or not as they are */
  async ready(patienceMs: number): Promise<number> {
    const end = performance.now() + patienceMs
    while (this.#behind() && performance.now() < end) {
      try {
        this.#piece(Math.min(end, performance.now() + 4 * pieceMs))
      } catch (error) {
        this.#warn(error)
        break
      }
      await setImmediate()
    }
    return this.#behind() ? this.#missing() : 0
  }

  /** What is not in by now is found to be missing by the next process. */
  [Symbol.dispose](): void {
    this.#unsubscribe()
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #changed(id: TaskId): void {
    this.#stale.add(id)
    this.#schedule(restMs)
  }

  #schedule(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      try {
        this.#piece(performance.now() + pieceMs)
        if (this.#behind() || this.#untended) this.#schedule(pauseMs)
      } catch (error) {
        this.#warn(error)
        this.#schedule(retryMs)
      }
    }, ms).unref()
  }

  #warn(error: unknown): void {
    this.#deps.log.warn({ err: error }, 'the search index could not be written')
  }

  #behind(): boolean {
    if (this.#deps.index.generation !== this.#generation) {
      this.#generation = this.#deps.index.generation
      this.#scan = { before: null }
    }
    return this.#stale.size > 0 || this.#scan !== null
  }

  #missing(): number {
    const all = Object.values(this.#deps.store.counts()).reduce((sum, count) => sum + count, 0)
    return Math.max(1, this.#stale.size, all - this.#deps.index.count())
  }

  /** Does some of what is to be done: puts tasks in, looks for more of them, or tends the index. */
  #piece(end: number): void {
    do {
      if (this.#stale.size > 0) this.#put(end)
      else if (this.#scan !== null) this.#compare(this.#scan.before)
      else if (this.#untended) this.#untended = this.#deps.index.tend()
      else return
    } while (performance.now() < end)
  }

  #compare(before: Pick<TaskVersion, 'id' | 'createdAt'> | null): void {
    const { store, index } = this.#deps
    const found = store.versions(before, compared)
    for (const { id, version } of found) if (index.version(id) !== version) this.#stale.add(id)
    const last = found.at(-1)
    if (last === undefined) this.#forgetOthers()
    this.#scan = last === undefined ? null : { before: last }
  }

  /** A database that was put back to an earlier copy has fewer tasks. */
  #forgetOthers(): void {
    const { store, index } = this.#deps
    const all = Object.values(store.counts()).reduce((sum, count) => sum + count, 0)
    if (index.count() <= all) return
    for (const id of index.ids()) if (store.task(id) === null) this.#stale.add(id)
  }

  #put(end: number): void {
    const entries: Entry[] = []
    const gone: TaskId[] = []
    const taken: TaskId[] = []
    for (const id of this.#stale) {
      const entry = this.#entry(id)
      if (entry === null) gone.push(id)
      else entries.push(entry)
      taken.push(id)
      if (taken.length === together || performance.now() >= end) break
    }
    this.#deps.index.put(entries, gone)
    for (const id of taken) this.#stale.delete(id)
    // Once for each transaction, so that what is untended does not grow.
    this.#untended = this.#deps.index.tend()
  }

  /** Null where there is no such task. One that cannot be read is found by nothing, and does not keep others out. */
  #entry(id: TaskId): Entry | null {
    const { store, log } = this.#deps
    try {
      const texts = store.texts(id)
      if (texts === null) return null
      const { pieces, ...task } = texts
      return { ...task, id, document: documentOf(searchable(pieces)) }
    } catch (error) {
      log.warn({ err: error, task: id }, 'a task cannot be searched')
      return { id, version: 0, createdAt: 0, status: '', repository: '', document: documentOf([]) }
    }
  }
}
