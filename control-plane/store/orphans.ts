import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { putBack } from '../../src/domain/backup.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import { Failure } from '../../src/domain/failure.ts'
import { isPassing, parseTaskId } from '../../src/domain/ids.ts'

/** What is only made beside a database that is there. */
const companions = ['mirrors', 'upgrades', 'search.db', 'ballast', join('keys', 'attestation.pub')]

/**
 * Throws `Failure('database')` where the database is not there, or empty, and what only comes after one is: a new one would
 * know nothing of the tasks so far, and their boxes and worktrees would be nobody's.
 */
export function refuseOrphans(data: HostPath, file: HostPath): void {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0) return
  const left = leftWork(data) ?? leftBeside(data, file)
  if (left === null) return
  const before = readNames(join(data, 'upgrades')).length === 0 ? '' : ` (older ones are in ${data}/upgrades)`
  throw new Failure(
    'database',
    `The database ${file} is gone, but ${left} still in ${data}: ` +
      `move the folder away and ${putBack}${before}, or start with another --data.`,
  )
}

function leftWork(data: HostPath): string | null {
  const count = readNames(join(data, 'tasks')).filter((name) => {
    const id = parseTaskId(name)
    return id !== null && !isPassing(id)
  }).length
  return count === 0 ? null : `the work of ${count} ${count === 1 ? 'task is' : 'tasks is'}`
}

function leftBeside(data: HostPath, file: HostPath): string | null {
  const copies = readNames(data).filter((name) => name.startsWith(`${basename(file)}.v`))
  const names = [...companions.filter((name) => existsSync(join(data, name))), ...copies]
  return names.length === 0 ? null : `what was made beside it (${names.join(', ')}) is`
}

function readNames(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}
