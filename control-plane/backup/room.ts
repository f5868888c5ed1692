import { constants } from 'node:fs'
import { copyFile, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostPath } from '../../src/domain/brand.ts'
import { Failure } from '../../src/domain/failure.ts'
import { copied, databaseName, mirrors } from './contents.ts'

const mib = 1024 * 1024

/**
 * Rejects with `Failure('disk')` where an upgrade of a data folder would fill its disk: the database is copied with the
 * folder and once more beside itself, and is written anew in its log at worst.
 * @param aside where the folder would be put aside, on the same disk
 */
export async function refuseNoRoom(data: HostPath, aside: HostPath): Promise<void> {
  const { bavail, bsize } = await statfs(data)
  const need = await roomOfUpgrade(data)
  if (need <= bavail * bsize) return
  const [takes, free] = [Math.ceil(need / mib), Math.floor((bavail * bsize) / mib)]
  throw new Failure(
    'disk',
    `There is no room for ${aside}, and nothing of it is left: the upgrade takes ${takes} MiB, and ${free} MiB are free. Free some space, then start again.`,
  )
}

async function roomOfUpgrade(data: HostPath): Promise<number> {
  const database =
    (await sizeOf(join(data, databaseName))) + (await sizeOf(join(data, `${databaseName}-wal`)))
  const files = (await sharesBlocks(data))
    ? []
    : [...copied.map((name) => join(data, name)), ...(await namesOfObjects(join(data, mirrors)))]
  const sizes = await Promise.all(files.map(sizeOf))
  return 3 * database + sizes.reduce((sum, size) => sum + size, 0)
}

/** Of each mirror, what is copied; its objects are linked. */
async function namesOfObjects(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((): string[] => [])
  return names.flatMap((name) => ['refs', 'packed-refs', 'info'].map((part) => join(folder, name, part)))
}

/** Of a file, or of all files in a folder, bytes; 0 for what is not there. */
async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => null)
  if (found === null) return 0
  if (!found.isDirectory()) return found.size
  let sum = 0
  for (const entry of await readdir(path, { withFileTypes: true }))
    if (entry.isDirectory() || entry.isFile()) sum += await sizeOf(join(path, entry.name))
  return sum
}

/** Whether a copy of a file takes no room until one of both is written, as on Btrfs and XFS. */
async function sharesBlocks(data: HostPath): Promise<boolean> {
  const probe = join(data, '.shares-blocks')
  try {
    await copyFile(join(data, databaseName), probe, constants.COPYFILE_FICLONE_FORCE)
    return true
  } catch {
    return false
  } finally {
    await rm(probe, { force: true })
  }
}
