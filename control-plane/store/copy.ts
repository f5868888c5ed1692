import Database from 'better-sqlite3'
import { checkFile } from './examine.ts'
import { overStorage } from './failures.ts'
import { type Head, headsOf } from './heads.ts'

const mostPages = 0x7fff_ffff

/**
 * Copies a database that other processes may be writing, as it is at one moment; nobody waits for it. What it writes is
 * checked. Rejects with `Failure('database' | 'disk' | 'busy')`.
 * @returns the tasks in the copy that are not discarded
 */
export async function copyDatabase(from: string, to: string): Promise<readonly Head[]> {
  const db = overStorage(from, () => new Database(from, { readonly: true, fileMustExist: true }))
  try {
    // All in one step: between two, a write by others would make it start again, for ever where they do not rest.
    await db.backup(to, { progress: () => mostPages })
  } catch (error) {
    overStorage(to, () => {
      throw error
    })
  } finally {
    db.close()
  }
  checkFile(to, from)
  return headsIn(to)
}

/** The tasks of a copy that are not discarded. Throws `Failure('database' | 'disk' | 'busy')`. */
export function headsIn(file: string): readonly Head[] {
  return overStorage(file, () => readHeads(file))
}

function readHeads(file: string): readonly Head[] {
  // Not readonly: the last to close it so takes the files beside it away.
  const db = new Database(file)
  try {
    return headsOf(db)()
  } finally {
    db.close()
  }
}
