import { constants } from 'node:fs'
import { copyFile, link, mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCodeOf } from '../../src/domain/failure.ts'

interface HowToCopy {
  /** Names of files and folders that are not copied. */
  readonly skips?: (name: string) => boolean
  /** Files that are never written to again need no copy where the disk takes a link. */
  readonly links?: boolean
}

/**
 * Copies a folder of files with their modes, while others may be at work in it: what goes away meanwhile is left out.
 * Symlinks and the like are never in such a folder, and left out.
 */
export async function copyTree(from: string, to: string, how: HowToCopy = {}): Promise<void> {
  const { skips = () => false, links = false } = how
  const found = await orGone(stat(from))
  if (found === null) return
  await mkdir(to, { mode: found.mode & 0o777, recursive: true })
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (skips(entry.name)) continue
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) await copyTree(source, target, how)
    // Where the file system can share what is the same until one is written, it does.
    else if (entry.isFile() && !(links && (await linked(source, target))))
      await orGone(copyFile(source, target, constants.COPYFILE_FICLONE))
  }
}

/** False where there is no link: on another disk, of a file of somebody else, or of too many already. */
async function linked(source: string, target: string): Promise<boolean> {
  return await link(source, target).then(
    () => true,
    () => false,
  )
}

/** The same for a file or a folder, which may not be there. */
export async function copyAny(from: string, to: string): Promise<void> {
  const found = await orGone(stat(from))
  if (found === null) return
  if (found.isDirectory()) await copyTree(from, to)
  else await copyFile(from, to, constants.COPYFILE_FICLONE)
}

async function orGone<T>(done: Promise<T>): Promise<T | null> {
  return await done.catch((error: unknown) => {
    if (systemCodeOf(error) === 'ENOENT') return null
    throw error
  })
}
