import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BackupReport } from '../../src/domain/backup.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import { Failure, messageOf } from '../../src/domain/failure.ts'
import { lockFolder, type Owner } from '../store/lock.ts'
import { backUp, type BackupDeps } from './backup.ts'
import { dated, installationName, type Manifest, manifestName, readManifest, timeName } from './contents.ts'

const half = /^\.\d{8}T\d{9}Z\.half$/

/**
 * Makes a backup within `folder`, named by its time, and then removes the oldest of them until `keep` are left. It removes only
 * what it has made of this data folder, and nothing unless the new one is whole, checked and on the disk: where that lacks
 * commits, an older one may be the last that has them. Of the older ones, those that lack commits are the first to go.
 */
export async function backUpDated(folder: HostPath, keep: number, deps: BackupDeps): Promise<BackupReport> {
  if (existsSync(join(folder, manifestName)))
    throw new Failure('data_folder', `${folder} is a backup itself: name a folder for several of them.`)
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw new Failure('data_folder', `${folder} cannot be used (${messageOf(error)}): name another folder.`)
  })
  await removeHalves(folder, deps.owner)
  const name = timeName(deps.clock())
  const made = await backUp(join(folder, name) as HostPath, deps)
  if (made.incomplete !== undefined)
    return { ...made, notes: [...made.notes, 'As it is incomplete, no older copy is removed.'] }
  const { data } = deps
  // One that another process makes meanwhile counts for that one, and the new one stays whatever the clock says.
  const names = (await foldersIn(folder)).filter((each) => each < name && dated.test(each)).toSorted()
  const manifests = new Map(names.map((each) => [each, manifestOf(data, join(folder, each))]))
  const ours = names.filter((each) => manifests.get(each) != null)
  const lacks = (each: string): boolean => manifests.get(each)?.incomplete === true
  const inOrder = [...ours.filter(lacks), ...ours.filter((each) => !lacks(each))]
  const surplus = inOrder.slice(0, Math.max(0, ours.length - keep + 1))
  for (const each of surplus) await remove(folder, each, made.path)
  const notes = surplus.map((each) => `${join(folder, each)} is removed, as ${keep} are kept.`)
  return { ...made, notes: [...made.notes, ...notes] }
}

/** What a link leads to was put there by somebody else. */
async function foldersIn(folder: HostPath): Promise<readonly string[]> {
  const found = await readdir(folder, { withFileTypes: true })
  return found.filter((each) => each.isDirectory()).map(({ name }) => name)
}

/** Null where it is none of this data folder: several may have their backups in one place. */
function manifestOf(data: HostPath, backup: string): Manifest | null {
  const installation = (folder: string): string => readFileSync(join(folder, installationName), 'utf8')
  try {
    const manifest = readManifest(backup)
    return installation(backup) === installation(data) ? manifest : null
  } catch {
    return null
  }
}

async function remove(folder: HostPath, name: string, made: HostPath): Promise<void> {
  const old = join(folder, name)
  try {
    // First what makes it a backup, its name: what a kill leaves of it is a half, and goes with the next try.
    const removed = join(folder, `.${name}.half`)
    await rename(old, removed)
    await rm(removed, { recursive: true, force: true })
  } catch (error) {
    throw new Failure(
      'data_folder',
      `${made} is made, but ${old}, which is one too many, cannot be removed (${messageOf(error)}): remove it yourself.`,
    )
  }
}

/** What was killed has left its half under a name that no later one takes. */
async function removeHalves(folder: HostPath, owner: Owner): Promise<void> {
  for (const name of (await foldersIn(folder)).filter((each) => half.test(each))) {
    const place = join(folder, name) as HostPath
    using lock = lockFolder(place, owner)
    if (lock !== null) await rm(place, { recursive: true, force: true })
  }
}
