import Database from 'better-sqlite3'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HostPath } from '../../src/domain/brand.ts'
import { Failure, messageOf } from '../../src/domain/failure.ts'
import type { Status } from '../../src/domain/task.ts'
import { damagedFile, overStorage } from './failures.ts'
import { openStore } from './open.ts'

/**
 * Reads a database that no process has open, and checks the whole of it; null where there is none. It works on a copy,
 * because reading this kind of file writes beside it. Throws `Failure('database' | 'disk' | 'busy')` as opening it would.
 */
export function examineDatabase(file: HostPath): Readonly<Record<Status, number>> | null {
  if (!existsSync(file) && !existsSync(`${file}-wal`)) return null
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-doctor-'))
  try {
    const copy = join(folder, 'cofferdam.db') as HostPath
    overStorage(file, () => {
      for (const end of ['', '-wal']) if (existsSync(file + end)) copyFileSync(file + end, copy + end)
    })
    return read(copy, file)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function read(copy: HostPath, file: HostPath): Readonly<Record<Status, number>> {
  try {
    using store = openStore(copy)
    const counts = store.counts()
    checkFile(copy, file)
    return counts
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new Failure(error.code, error.message.replaceAll(copy, file), { cause: error })
  }
}

/** Checks the whole of a database; what is wrong with it is said of `file`. */
export function checkFile(copy: string, file: string): void {
  const db = new Database(copy, { readonly: true })
  try {
    const said = db.pragma('quick_check(1)', { simple: true })
    if (said !== 'ok') throw damagedFile(file, String(said))
  } catch (error) {
    throw error instanceof Failure ? error : damagedFile(file, messageOf(error), error)
  } finally {
    db.close()
  }
}
