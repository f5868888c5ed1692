import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostPath } from '../../src/domain/brand.ts'
import { formatBehind } from '../store/database.ts'
import { migrations } from '../store/migrations.ts'
import { backUp, type BackupDeps } from './backup.ts'
import { databaseName, timeName } from './contents.ts'
import { refuseNoRoom } from './room.ts'

/** In the data folder; a backup of the folder leaves it out. */
const folderName = 'upgrades'
/** How many copies are kept, the newest with them; and beyond these the newest of each format. */
const most = 3

/** What was put aside before an upgrade. */
export interface PutAside {
  /** The format of the database in it. */
  readonly format: number
  readonly path: HostPath
  /** Where it lacks commits, or may: which, and what to do. */
  readonly incomplete?: string
}

/**
 * Before this version brings an older database up to date: backs the whole folder up within itself, so that the version
 * before can be gone back to with `restore`. Commits, which never change, are linked and take no room. Null where the
 * database is of this version, or there is none; rejects with `Failure('disk')` where there is no room, and nothing was changed.
 */
export async function copyBeforeUpgrade(deps: Omit<BackupDeps, 'links'>): Promise<PutAside | null> {
  const { data, clock } = deps
  const format = formatBehind(join(data, databaseName), migrations.length)
  if (format === null) return null
  const upgrades = join(data, folderName)
  // To the millisecond: what was killed may be started again within the same second.
  const path = join(upgrades, `${timeName(clock())}-format-${format}`) as HostPath
  await mkdir(upgrades, { recursive: true, mode: 0o700 })
  // Of a process that was killed at it; nobody else is at work here, for the folder is locked.
  for (const name of await readdir(upgrades))
    if (name.startsWith('.')) await rm(join(upgrades, name), { recursive: true, force: true })
  await refuseNoRoom(data, path)
  const { incomplete } = await backUp(path, { ...deps, links: true })
  // An older one may be the last that has what is missing in it.
  if (incomplete !== undefined) return { format, path, incomplete }
  for (const name of tooOld(await readdir(upgrades))) await rm(join(upgrades, name), { recursive: true })
  return { format, path }
}

/** One that stops in the middle of several migrations again and again must not drive out the copy from before all of them. */
function tooOld(names: readonly string[]): readonly string[] {
  const copies = names.filter((name) => !name.startsWith('.')).toSorted()
  const formatOf = (name: string): string => name.slice(name.lastIndexOf('-') + 1)
  const newest = new Map(copies.map((name) => [formatOf(name), name]))
  return copies.slice(0, -most).filter((name) => newest.get(formatOf(name)) !== name)
}
