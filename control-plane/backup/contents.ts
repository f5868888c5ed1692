import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { Failure, messageOf } from '../../src/domain/failure.ts'

export const databaseName = 'cofferdam.db'
/** Without it a folder with other things in it is no data folder. */
export const installationName = 'installation'
/** Copied as they are. Worktrees are made anew from commits, indexes from the database, caches and locks as they are needed. */
export const copied: readonly string[] = [installationName, '.gitignore', 'keys', 'logs']
export const mirrors = 'mirrors'
/** Beside a database that a copy was restored to, until a process has worked on it. */
export const restoredName = 'restored'

export const manifestName = 'backup.json'
const manifestSchema = z.object({
  /** Rises when a backup is laid out in another way. */
  format: z.literal(1),
  /** When the database was copied, epoch milliseconds. */
  at: z.number(),
  tasks: z.int(),
  /** It lacks commits that tasks came to, or may. */
  incomplete: z.literal(true).optional(),
})
export type Manifest = z.infer<typeof manifestSchema>

export function writtenManifest(manifest: Manifest): string {
  return `${JSON.stringify(manifest)}\n`
}

/** What a backup says of itself. Throws `Failure('data_folder')` for a folder that is none. */
export function readManifest(folder: string): Manifest {
  const refused = (why: string): Failure =>
    new Failure(
      'data_folder',
      `${folder} is no backup of Cofferdam (${why}): name the folder of one${newestIn(folder)}.`,
    )
  let content: unknown
  try {
    content = JSON.parse(readFileSync(join(folder, manifestName), 'utf8'))
  } catch (error) {
    throw refused(messageOf(error))
  }
  const parsed = manifestSchema.safeParse(content)
  if (!parsed.success) throw refused(`${manifestName} is damaged, or of a newer Cofferdam`)
  if (!existsSync(join(folder, databaseName))) throw refused(`${databaseName} is gone from it`)
  return parsed.data
}

/** Where it holds dated ones, the newest of them that is whole, or else the newest, as a part of a sentence. */
function newestIn(folder: string): string {
  try {
    const names = readdirSync(folder)
      .filter((name) => dated.test(name))
      .toSorted()
      .toReversed()
    const newest = names.find((name) => isWhole(join(folder, name))) ?? names[0]
    return newest === undefined ? '' : `, such as ${join(folder, newest)}`
  } catch {
    return ''
  }
}

function isWhole(folder: string): boolean {
  try {
    return readManifest(folder).incomplete !== true
  } catch {
    return false
  }
}

/** What `timeName` makes. */
export const dated = /^\d{8}T\d{9}Z$/

/** `20261127T023000000Z`, of epoch milliseconds: such names sort by time. */
export function timeName(at: number): string {
  return new Date(at).toISOString().replaceAll(/[-:.]/g, '')
}
