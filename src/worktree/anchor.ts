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
  using way = descent(root)
  return way.in(folder, act)
}

/** The same for many folders, of which each lies near the one before: a long way is not gone again for each. */
export interface Descent extends Disposable {
  in<T>(folder: string, act: (at: HostPath) => T): T | null
}

/** So many names after the last one a folder on the way is kept open. */
const stage = 32

export function descent(root: HostPath): Descent {
  const kept: { readonly folder: string; readonly open: number }[] = [
    { folder: '', open: openSync(root, aFolder) },
  ]
  const nearest = (folder: string): { readonly folder: string; readonly open: number } => {
    for (let last = kept.at(-1); last !== undefined; last = kept.at(-1)) {
      if (last.folder === '' || last.folder === folder || folder.startsWith(`${last.folder}/`)) return last
      closeSync(last.open)
      kept.pop()
    }
    throw new Error('the way has been left already')
  }
  return {
    in(wanted, act) {
      const folder = wanted === '.' ? '' : wanted
      const from = nearest(folder)
      const names = folder.slice(from.folder.length).split('/').filter(Boolean)
      let { open, folder: reached } = from
      let passing = false
      try {
        for (const [index, name] of names.entries()) {
          const next = withRights(atOf(open), (at) => openSync(diskPath(at, name as RawPath), aFolder))
          if (passing) closeSync(open)
          open = next
          reached = reached === '' ? name : `${reached}/${name}`
          passing = (index + 1) % stage !== 0
          if (!passing) kept.push({ folder: reached, open })
        }
        return act(atOf(open))
      } catch (error) {
        if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return null
        throw error
      } finally {
        if (passing) closeSync(open)
      }
    },
    [Symbol.dispose]() {
      for (const { open } of kept.splice(0)) closeSync(open)
    },
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
