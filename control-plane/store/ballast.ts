import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { HostPath } from '../../src/domain/brand.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { Store } from './store.ts'

/** Enough for thousands of transitions, bytes. */
const size = 8 * 1024 * 1024
/** How long it stays away at least, once it was thrown off, ms. */
const awayMs = 60_000

/**
 * A file of no use, which is thrown off when the disk is full: a box can fill a disk faster than anybody looks, and what
 * became of its task still has to be written.
 */
export class Ballast {
  readonly #file: string
  #thrownOffAt: number | null = null

  constructor(folder: HostPath) {
    this.#file = join(folder, 'ballast')
    this.#lay()
  }

  /** Runs `act`, and once more with the room that is made where the disk was full. */
  over<T>(act: () => T): T {
    try {
      const result = act()
      if (this.#thrownOffAt !== null && Date.now() - this.#thrownOffAt > awayMs) this.#lay()
      return result
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'disk' || this.#thrownOffAt !== null) throw error
      this.#thrownOffAt = Date.now()
      rmSync(this.#file, { force: true })
      return act()
    }
  }

  /** Only where there is room for much more; where there is not, the next time will do. */
  #lay(): void {
    this.#thrownOffAt = Date.now()
    try {
      if (statSync(this.#file, { throwIfNoEntry: false })?.size !== size) {
        const { bavail, bsize } = statfsSync(join(this.#file, '..'))
        if (bavail * bsize < 4 * size) return
        write(`${this.#file}.new`)
        renameSync(`${this.#file}.new`, this.#file)
      }
      this.#thrownOffAt = null
    } catch {
      // A disk that is full or readonly is for those to tell who need it.
      rmSync(`${this.#file}.new`, { force: true })
    }
  }
}

function write(file: string): void {
  const fd = openSync(file, 'w', 0o600)
  try {
    // Not zeros: a disk that packs its files would hold nothing back.
    writeSync(fd, randomBytes(size))
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/**
 * The same store, which writes transitions on a full disk too, for as long as the ballast makes room. Not what is written
 * while a box runs: that would only give the box more to fill, and has to fail before its end is to be written.
 */
export function withBallast(store: Store, ballast: Ballast): Store {
  // Within a transaction nothing is tried again: what a full disk ended is begun anew as a whole.
  let together = false
  return {
    ...store,
    write: (change) => (together ? store.write(change) : ballast.over(() => store.write(change))),
    together(acts) {
      together = true
      try {
        return ballast.over(() => store.together(acts))
      } finally {
        together = false
      }
    },
  }
}
