import Database from 'better-sqlite3'
import { readdirSync, statfsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { Failure, messageOf } from '../../src/domain/failure.ts'

/** Runs `act`; what SQLite or the file system throws becomes a `Failure`, anything else is a bug and passes. */
export function overStorage<T>(file: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw storageFailure(file, error) ?? error
  }
}

function storageFailure(file: string, cause: unknown): Failure | null {
  const fail = (code: 'disk' | 'database' | 'busy', text: string) => new Failure(code, text, { cause })
  const kind = kindOf(cause)
  switch (kind === 'SQLITE_CANTOPEN' && isOutOfFiles(dirname(file)) ? 'ENOSPC' : kind) {
    case 'SQLITE_FULL':
    case 'ENOSPC':
    case 'EDQUOT':
      return fail(
        'disk',
        `The disk is full: ${file} could not be written, nothing was changed. Free some space.`,
      )
    case 'SQLITE_IOERR':
    case 'EIO':
      return fail(
        'disk',
        `The disk failed on ${file} (${messageOf(cause)}), nothing was changed. Look at free space, limits and the disk itself.`,
      )
    case 'SQLITE_READONLY':
    case 'SQLITE_CANTOPEN':
    case 'SQLITE_PERM':
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EISDIR':
      return fail(
        'database',
        `${file} cannot be opened for writing, nothing was changed. ` +
          `Make ${dirname(file)} writable for this user, or start with another --data.`,
      )
    case 'SQLITE_BUSY':
    case 'SQLITE_LOCKED':
      return fail(
        'busy',
        `Another program is writing ${file} and does not let go, nothing was changed. End it (sqlite3, a backup) and try again.`,
      )
    case 'SQLITE_CORRUPT':
    case 'SQLITE_NOTADB':
      return damagedFile(file, messageOf(cause), cause)
    default:
      return null
  }
}

/** A disk that takes no more files, of which SQLite says only that it cannot open one. Some disks have no such number: 0 of 0. */
function isOutOfFiles(folder: string): boolean {
  try {
    const { files, ffree } = statfsSync(folder)
    return files > 0 && ffree === 0
  } catch {
    return false
  }
}

/** The primary code of an error of SQLite, or the code of an error of the file system. */
function kindOf(cause: unknown): string {
  if (cause instanceof Database.SqliteError) return cause.code.split('_', 2).join('_')
  return cause instanceof Error && 'syscall' in cause && 'code' in cause ? String(cause.code) : ''
}

/** The failure for a file that is no sound database of ours. */
export function damagedFile(file: string, why: string, cause?: unknown): Failure {
  return new Failure('database', `${file} is damaged: ${why}. ${wayOut(file)}`, { cause })
}

/** What to do about a database that cannot be used, with the copies that migrations have left beside it. */
export function wayOut(file: string): string {
  const copies = copiesOf(file)
  const known = copies.length === 0 ? '' : ` (${copies.join(', ')})`
  return `Put a copy of it in its place${known}, or start with another --data.`
}

/** The names of the copies of older formats that are beside a database. */
export function copiesOf(file: string): readonly string[] {
  const start = `${basename(file)}.v`
  return readdirSync(dirname(file)).filter((name) => /^\d+$/.test(name.replace(start, '')))
}
