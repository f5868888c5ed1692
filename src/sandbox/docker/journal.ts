import { existsSync } from 'node:fs'
import { open, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'

const entrySchema = z.object({ path: z.string(), type: z.enum(['file', 'folder']) })
const journalSchema = z.object({ worktree: z.string(), entries: z.array(entrySchema) })
const idsSchema = z.array(z.string())

/** A placeholder that is made for a box; the path is in the worktree. */
export type Entry = z.infer<typeof entrySchema>
/** What is to be made in a worktree, parents first. */
export type Journal = z.infer<typeof journalSchema>

const journalName = 'placeholders.json'
const idsName = 'placeholder-ids.json'

/** Notes what will be made. On the disk when it resolves, so that a crash after that leaves nothing unknown. */
export async function writeJournal(folder: string, journal: Journal): Promise<void> {
  const file = await open(join(folder, journalName), 'w')
  try {
    await file.writeFile(JSON.stringify(journal))
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Notes device and inode of each entry, once made. Only for a closer look at removal, so it need not be on the disk. */
export async function writeIds(folder: string, ids: readonly string[]): Promise<void> {
  await writeFile(join(folder, idsName), JSON.stringify(ids))
}

export type Noted = Journal & { readonly ids: readonly string[] }

/** What was noted, with the ids as far as they are known; null where nothing was. */
export async function readJournal(folder: string): Promise<Noted | null> {
  // One that is torn was still being written: nothing of it had been made.
  const journal = await readJson(join(folder, journalName), journalSchema)
  if (journal === null) return null
  return { ...journal, ids: (await readJson(join(folder, idsName), idsSchema)) ?? [] }
}

/** Whether it has a journal now, and nobody has taken it away since it was read. */
export function hasJournal(folder: string): boolean {
  return existsSync(join(folder, journalName))
}

/** What was noted for other boxes in the same worktree. */
export async function readOthers(folder: string, worktree: string): Promise<readonly Noted[]> {
  const parent = dirname(folder)
  const names = (await readdir(parent)).filter((name) => name !== basename(folder))
  const journals = await Promise.all(names.map((name) => readJournal(join(parent, name))))
  return journals.filter((journal) => journal?.worktree === worktree).filter((journal) => journal !== null)
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return null
  }
}
