import { constants } from 'node:fs'
import { copyFile, mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCodeOf } from '../../src/domain/failure.ts'

/**
 * Copies a folder of files with their modes, while others may be at work in it: what goes away meanwhile is left out.
 * Symlinks and the like are never in such a folder, and left out.
 * @param skips names of files and folders that are not copied
 */
export async function copyTree(
  from: string,
  to: string,
  skips: (name: string) => boolean = () => false,
): Promise<void> {
  const found = await orGone(stat(from))
  if (found === null) return
  await mkdir(to, { mode: found.mode & 0o777, recursive: true })
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (skips(entry.name)) continue
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) await copyTree(source, target, skips)
    // Where the file system can share what is the same until one is written, it does.
    else if (entry.isFile()) await orGone(copyFile(source, target, constants.COPYFILE_FICLONE))
  }
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
