import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BackupReport } from '../../src/domain/backup.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import { Failure, messageOf } from '../../src/domain/failure.ts'
import { lockFolder, type Owner } from '../store/lock.ts'
import { backUp, type BackupDeps } from './backup.ts'
import { installationName, manifestName, readManifest, timeName } from './contents.ts'

const dated = /^\d{8}T\d{9}Z$/
const half = /^\.\d{8}T\d{9}Z\.half$/

/**
 * Makes a backup within `folder`, named by its time, and then removes the oldest of them until `keep` are left. It removes only
 * what it has made of this data folder, and nothing unless the new one is whole, checked and on the disk: where that lacks
 * commits, an older one may be the last that has them.
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
  const older = (await foldersIn(folder)).filter(
    (each) => each < name && dated.test(each) && isOf(data, join(folder, each)),
  )
  const surplus = older.toSorted().slice(0, Math.max(0, older.length - keep + 1))
  for (const each of surplus) await remove(folder, each, made.path)
  const notes = surplus.map((each) => `${join(folder, each)} is removed, as ${keep} are kept.`)
  return { ...made, notes: [...made.notes, ...notes] }
}

/** What a link leads to was put there by somebody else. */
async function foldersIn(folder: HostPath): Promise<readonly string[]> {
  const found = await readdir(folder, { withFileTypes: true })
  return found.filter((each) => each.isDirectory()).map(({ name }) => name)
}

/** Several data folders may have their backups in one place. */
function isOf(data: HostPath, backup: string): boolean {
  const installation = (folder: string): string => readFileSync(join(folder, installationName), 'utf8')
  try {
    readManifest(backup)
    return installation(backup) === installation(data)
  } catch {
    return false
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
