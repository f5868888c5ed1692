import Database from 'better-sqlite3'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { HostPath } from '../../src/domain/brand.ts'
import { Failure, messageOf, systemCodeOf } from '../../src/domain/failure.ts'
import type { Status } from '../../src/domain/task.ts'
import { damagedFile, overStorage } from './failures.ts'
import type { Head } from './heads.ts'
import { openStore } from './open.ts'

/** What is in a database that no process has open. */
interface Examined {
  readonly counts: Readonly<Record<Status, number>>
  /** The ids of all keys that there are attestations of. */
  readonly attestedWith: readonly string[]
  readonly heads: readonly Head[]
}

/**
 * Reads a database that no process has open, and checks the whole of it; null where there is none. It works on a copy,
 * because reading this kind of file writes beside it. Throws `Failure('database' | 'disk' | 'busy')` as opening it would,
 * and `disk` where the copy finds no place.
 * @param tmp where the copy is made, as large as the database
 */
export function examineDatabase(file: HostPath, tmp: string): Examined | null {
  if (!existsSync(file) && !existsSync(`${file}-wal`)) return null
  const noPlace = (cause: unknown): Failure =>
    new Failure(
      'disk',
      `The copy of ${file} in which it is looked at could not be made in ${tmp}: ` +
        'make room there for as much, or name another folder with TMPDIR.',
      { cause },
    )
  const folder = folderIn(tmp, noPlace)
  try {
    const copy = join(folder, 'cofferdam.db') as HostPath
    for (const end of ['', '-wal']) if (existsSync(file + end)) copyInto(copy + end, file + end, noPlace)
    return read(copy, file, noPlace)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

type Say = (cause: unknown) => Failure

function folderIn(tmp: string, noPlace: Say): string {
  try {
    return mkdtempSync(join(tmp, 'cofferdam-doctor-'))
  } catch (error) {
    throw noPlace(error)
  }
}

function copyInto(copy: string, file: string, noPlace: Say): void {
  overStorage(file, () => {
    try {
      copyFileSync(file, copy)
    } catch (error) {
      // Nothing else is written to.
      throw ['ENOSPC', 'EDQUOT'].includes(systemCodeOf(error)) ? noPlace(error) : error
    }
  })
}

function read(copy: HostPath, file: HostPath, noPlace: Say): Examined {
  try {
    using store = openStore(copy)
    const examined = { counts: store.counts(), attestedWith: store.attestationKeys(), heads: store.heads() }
    checkFile(copy, file)
    return examined
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    // An older database is brought up to date, which takes more room.
    if (error.code === 'disk') throw noPlace(error)
    throw new Failure(error.code, error.message.replaceAll(copy, file), { cause: error })
  }
}

/** To read this kind of file is to write beside it. */
const isShortOfRoom = (error: unknown): boolean =>
  error instanceof Database.SqliteError && /^SQLITE_(FULL|IOERR_SHM)/.test(error.code)

/** Checks the whole of a database; what is wrong with it is said of `file`. */
export function checkFile(copy: string, file: string): void {
  const db = new Database(copy, { readonly: true })
  try {
    const said = db.pragma('quick_check(1)', { simple: true })
    if (said !== 'ok') throw damagedFile(file, String(said))
  } catch (error) {
    if (error instanceof Failure) throw error
    if (!isShortOfRoom(error)) throw damagedFile(file, messageOf(error), error)
    overStorage(copy, () => {
      throw error
    })
  } finally {
    db.close()
  }
}
