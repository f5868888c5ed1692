import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Whether a task's repository, named by its top level, is a bare one: there is nothing checked out to merge into. */
export function isBare(repository: string): boolean {
  return existsSync(join(repository, 'HEAD')) && !existsSync(join(repository, '.git'))
}
