import { lstatSync, renameSync, rmdirSync, unlinkSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { HostPath } from '../domain/brand.ts'
import { changeMode, inFolder, withRights } from './anchor.ts'
import { isErrno } from './files.ts'
import { pace } from './pace.ts'
import { bare, diskPath, type RawPath } from './raw.ts'
import { freshTrash, removeMeanwhile } from './throw-away.ts'

/**
 * Removes paths under a folder with all that is in them, and the folders above that are empty then. A last `/` of a path
 * means nothing; missing ones are fine. Nothing is followed, even where somebody swaps folders meanwhile: folders are moved
 * into the trash of the data folder, where nobody else reaches them, and emptied there.
 */
export async function removeAll(data: HostPath, root: HostPath, paths: readonly RawPath[]): Promise<void> {
  const slices = pace()
  let trash: HostPath | null = null
  let moved = 0
  const moveAway = (place: string | Buffer): void => {
    trash ??= freshTrash(data)
    // Without this right a folder cannot be moved.
    changeMode(place, () => 0o700)
    renameSync(place, `${trash}/${moved}`)
    moved += 1
  }
  for (const path of paths.map(bare)) {
    remove(root, path, moveAway)
    if (slices.due()) await slices.rest()
  }
  if (trash !== null) removeMeanwhile(trash)
  for (const folder of new Set(paths.map((path) => dirname(bare(path))))) prune(root, folder)
}

function remove(root: HostPath, path: RawPath, moveAway: (place: string | Buffer) => void): void {
  inFolder(root, dirname(path), (parent) =>
    withRights(parent, (at) => {
      const place = placeIn(at, path)
      const stats = lstatSync(place, { throwIfNoEntry: false })
      if (stats === undefined) return
      if (stats.isDirectory()) moveAway(place)
      else unlinkSync(place)
    }),
  )
}

/** Removes a folder and those above it as long as they are empty. */
function prune(root: HostPath, start: string): void {
  for (let folder = start; folder !== '.'; folder = dirname(folder)) {
    const path = folder as RawPath
    try {
      inFolder(root, dirname(path), (at) => {
        rmdirSync(placeIn(at, path))
      })
    } catch (error) {
      if (isErrno(error, 'ENOTEMPTY', 'EACCES', 'EPERM', 'EBUSY', 'EEXIST')) return
      throw error
    }
  }
}

function placeIn(at: HostPath, path: RawPath): string | Buffer {
  return diskPath(at, basename(path) as RawPath)
}
