import { chmodSync, lstatSync, readdirSync, rmdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { HostPath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import { isErrno } from './files.ts'
import { diskPath, rawJoin, type RawPath } from './raw.ts'

/**
 * Removes paths under a folder with all that is in them, and the folders above that are empty then. A last `/` of a path
 * means nothing; missing ones are fine.
 */
export async function removeAll(root: HostPath, paths: readonly RawPath[]): Promise<void> {
  for (const path of paths) await remove(root, path.replace(/\/$/, '') as RawPath)
  const above = new Set(paths.flatMap((path) => dirname(path)))
  for (const folder of above) prune(root, folder)
}

/** Removes a folder and those above it as long as they are empty. */
function prune(root: HostPath, start: string): void {
  for (let folder = start; folder !== '.'; folder = dirname(folder)) {
    try {
      rmdirSync(diskPath(root, folder as RawPath))
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) return
    }
  }
}

async function remove(root: HostPath, path: RawPath): Promise<void> {
  const place = diskPath(root, path)
  try {
    await rm(place, { recursive: true, force: true })
  } catch (error) {
    if (isErrno(error, 'ENAMETOOLONG'))
      throw new Failure('worktree', `${path} is nested too deep to be removed.`)
    if (!isErrno(error, 'EACCES', 'EPERM', 'ENOTEMPTY')) throw error
    open(root, path)
    await rm(place, { recursive: true, force: true })
  }
}

/** Gives us the right to look into and to empty every folder: a box may have taken it away. */
function open(root: HostPath, top: RawPath): void {
  const folders = [top]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const place = diskPath(root, folder)
    if (lstatSync(place, { throwIfNoEntry: false })?.isDirectory() !== true) continue
    chmodSync(place, 0o700)
    for (const entry of readdirSync(place, { withFileTypes: true, encoding: 'latin1' }))
      if (entry.isDirectory()) folders.push(rawJoin(folder, entry.name))
  }
}
