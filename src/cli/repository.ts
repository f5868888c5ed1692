import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { repositoryName } from '../domain/remote.ts'

/** What a command line names: a path as seen from a folder, or a name of the configuration where nothing is there. */
export function repositoryIn(folder: string, given: string): string {
  const path = resolve(folder, given)
  return repositoryName.test(given) && !existsSync(path) ? given : path
}
