import { chmodSync, closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs'
import type { HostPath } from '../domain/brand.ts'
import { isErrno } from './files.ts'
import { diskPath, type RawPath } from './raw.ts'

// Linux's O_PATH, which node does not name: opens what nobody has a right to, so that it can be given one.
const pathOnly = 0o10000000
const aFolder = pathOnly | constants.O_DIRECTORY | constants.O_NOFOLLOW

/**
 * Does something in a folder below `root` that no rename and no symlink can lead elsewhere meanwhile: it is reached name by
 * name without following anything, and `at` is the open folder itself, which takes a name after a `/`.
 * @returns null where something on the way is missing, or is no folder
 */
export function inFolder<T>(root: HostPath, folder: string, act: (at: HostPath) => T): T | null {
  let open = openSync(root, aFolder)
  try {
    for (const name of folder === '' || folder === '.' ? [] : folder.split('/')) {
      const next = withRights(atOf(open), (at) => openSync(diskPath(at, name as RawPath), aFolder))
      closeSync(open)
      open = next
    }
    return act(atOf(open))
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return null
    throw error
  } finally {
    closeSync(open)
  }
}

/** Does something that needs all rights to an open folder; a box may have taken them away. */
export function withRights<T>(at: HostPath, act: (at: HostPath) => T): T {
  try {
    return act(at)
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM')) throw error
    chmodSync(at, 0o700)
    return act(at)
  }
}

/** Changes the mode of a file or a folder in an open folder, never that of what a symlink leads to. */
export function changeMode(place: string | Buffer, modeOf: (stats: Stats) => number): void {
  const open = openSync(place, pathOnly | constants.O_NOFOLLOW)
  try {
    const stats = fstatSync(open)
    if (!stats.isSymbolicLink()) chmodSync(atOf(open), modeOf(stats))
  } finally {
    closeSync(open)
  }
}

function atOf(open: number): HostPath {
  return `/proc/self/fd/${open}` as HostPath
}
