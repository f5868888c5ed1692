import Database from 'better-sqlite3'
import { type BigIntStats, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { HostPath, Millis } from '../../src/domain/brand.ts'
import { Failure, messageOf, systemCodeOf } from '../../src/domain/failure.ts'

/** Who holds a data folder, for people. */
export interface Owner {
  readonly pid: number
  readonly startedAt: Millis
  /** What it is: `serve`, `run`, ... */
  readonly what: string
}

/** This process. */
export const ownerOf = (what: string, startedAt: Millis): Owner => ({ pid: process.pid, startedAt, what })

/** Held until it is disposed of or the process ends, however it ends. */
export interface FolderLock {
  /**
   * Whether what is locked is gone from its place, as where the folder was moved, also where a copy of it is there now: then
   * another process can take it there.
   */
  isGone(): boolean
  [Symbol.dispose](): void
}

const lockName = 'lock.db'

const ownerSchema: z.ZodType<Owner> = z.object({ pid: z.int(), startedAt: z.number(), what: z.string() })

/**
 * Takes the lock of a data folder that exists; null where another process (or this one) has it. Throws
 * `Failure('data_folder')` where the folder cannot be written.
 *
 * The lock is the exclusive lock of SQLite on an empty file, which the kernel releases when the process dies. Nothing
 * may ever open `lock.db` in another way: closing any handle on it would release the lock.
 */
export function lockFolder(dataFolder: HostPath, owner: Owner): FolderLock | null {
  const db = take(dataFolder)
  if (db === null) return null
  const path = join(dataFolder, lockName)
  let own: BigIntStats
  try {
    own = statSync(path, { bigint: true })
    announce(dataFolder, owner)
  } catch (error) {
    db.close()
    throw unusable(dataFolder, error)
  }
  const isGone = (): boolean => isAnother(path, own)
  return {
    isGone,
    [Symbol.dispose]: () => {
      if (!db.open) return
      // Else it is that of another process by now.
      if (!isGone()) rmSync(ownerFile(dataFolder), { force: true })
      db.close()
    },
  }
}

/** Who holds the folder, as it told itself; only true while the lock is held. Null where nothing readable is there. */
export function readOwner(dataFolder: HostPath): Owner | null {
  try {
    return ownerSchema.parse(JSON.parse(readFileSync(ownerFile(dataFolder), 'utf8')))
  } catch {
    return null
  }
}

function take(dataFolder: HostPath): Database.Database | null {
  let db: Database.Database | null = null
  try {
    db = new Database(join(dataFolder, lockName), { timeout: 0 })
    // Nothing is written, a journal neither: a full disk is in nobody's way here.
    db.pragma('journal_mode = MEMORY')
    db.exec('BEGIN EXCLUSIVE')
    return db
  } catch (error) {
    db?.close()
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) return null
    throw unusable(dataFolder, error)
  }
}

/** Whether no file or another one is there by now. A disk that does not answer is no sign of it. */
function isAnother(path: string, { dev, ino }: BigIntStats): boolean {
  try {
    const found = statSync(path, { bigint: true })
    return found.dev !== dev || found.ino !== ino
  } catch (error) {
    return systemCodeOf(error) === 'ENOENT'
  }
}

/** Written aside and moved in one go, so that nobody reads half of it. */
function announce(dataFolder: HostPath, owner: Owner): void {
  const file = ownerFile(dataFolder)
  writeFileSync(`${file}.new`, `${JSON.stringify(owner)}\n`)
  renameSync(`${file}.new`, file)
}

function ownerFile(dataFolder: HostPath): string {
  return join(dataFolder, 'owner.json')
}

function unusable(dataFolder: HostPath, cause: unknown): Failure {
  return new Failure(
    'data_folder',
    `The data folder ${dataFolder} cannot be locked (${messageOf(cause)}). ` +
      'Make it writable for this user and free some space, or choose another with --data.',
    { cause },
  )
}
