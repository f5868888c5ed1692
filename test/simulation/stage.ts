import Database from 'better-sqlite3'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../../control-plane/store/open.ts'
import type { Store } from '../../control-plane/store/store.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import { birth } from '../support/change.ts'
import { aTask } from '../support/task.ts'
import { Reader } from './view.ts'

/**
 * Where histories are told, one after the other: one database, whose rows go with each, and stores on it. To open a store
 * takes longer than all else in a history, so those of dead processes are used again, with nothing left that they knew.
 */
export class Stage implements Disposable {
  readonly #folder: string
  readonly #file: HostPath
  readonly #clearing: Database.Database
  readonly #stores: Store[] = []
  #free: readonly Store[] = []
  readonly reader: Reader

  constructor() {
    this.#folder = mkdtempSync(join(memory(), 'cofferdam-simulation-'))
    this.#file = join(this.#folder, 'history.db') as HostPath
    this.#free = [this.#open()]
    this.#clearing = new Database(this.#file)
    this.#clearing.pragma('foreign_keys = OFF')
    this.reader = new Reader(this.#file)
  }

  /** A store as a process that starts opens it. */
  take(): Store {
    const [store = this.#open(), ...others] = this.#free
    this.#free = others
    forget(store)
    return store
  }

  giveBack(store: Store): void {
    this.#free = [...this.#free, store]
  }

  /** Removes every row. */
  clear(): void {
    const tables = this.reader.tables()
    this.#clearing.transaction(() => {
      for (const table of tables) this.#clearing.exec(`DELETE FROM "${table}"`)
    })()
  }

  [Symbol.dispose](): void {
    this.reader[Symbol.dispose]()
    this.#clearing.close()
    for (const store of this.#stores) store[Symbol.dispose]()
    rmSync(this.#folder, { recursive: true })
  }

  #open(): Store {
    const store = openStore(this.#file)
    this.#stores.push(store)
    return store
  }
}

/** Where a file is only memory: a history is no test of the disk. */
function memory(): string {
  return statSync('/dev/shm', { throwIfNoEntry: false })?.isDirectory() === true ? '/dev/shm' : tmpdir()
}

/** A write that is taken back makes a store forget all that it knew. */
function forget(store: Store): void {
  const takenBack = new Error('taken back')
  const letters = (): never => {
    throw takenBack
  }
  try {
    store.write(birth(aTask(), { letters }))
  } catch (error) {
    if (error !== takenBack) throw error
  }
}
