import { putBack } from '../../src/domain/backup.ts'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { HostPath } from '../../src/domain/brand.ts'
import { Failure } from '../../src/domain/failure.ts'
import { isPassing, parseTaskId } from '../../src/domain/ids.ts'

/**
 * Throws `Failure('database')` where the work of tasks is there and the database is not: a new one would know nothing of
 * them, and their boxes and worktrees would be nobody's.
 */
export function refuseOrphans(data: HostPath, file: HostPath): void {
  if (existsSync(file)) return
  const count = readNames(join(data, 'tasks')).filter((name) => {
    const id = parseTaskId(name)
    return id !== null && !isPassing(id)
  }).length
  if (count === 0) return
  throw new Failure(
    'database',
    `The database ${file} is gone, but the work of ${count} ${count === 1 ? 'task' : 'tasks'} is still in ${data}: ` +
      `${putBack}, move the folder away, or start with another --data.`,
  )
}

function readNames(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}
