import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostPath } from '../../src/domain/brand.ts'
import { formatBehind } from '../store/database.ts'
import { migrations } from '../store/migrations.ts'
import { backUp, type BackupDeps } from './backup.ts'
import { databaseName } from './contents.ts'

/** In the data folder; a backup of the folder leaves it out. */
const folderName = 'upgrades'
/** How many copies are kept, the newest with them. */
const most = 3

/** What was put aside before an upgrade. */
export interface PutAside {
  /** The format of the database in it. */
  readonly format: number
  readonly path: HostPath
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
  const when = new Date(clock()).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const path = join(upgrades, `${when}-format-${format}`) as HostPath
  await mkdir(upgrades, { recursive: true, mode: 0o700 })
  await backUp(path, { ...deps, links: true })
  const before = (await readdir(upgrades)).filter((name) => !name.startsWith('.')).toSorted()
  for (const name of before.slice(0, -most)) await rm(join(upgrades, name), { recursive: true })
  return { format, path }
}
