import type { BoxPath, TreePath } from '../domain/brand.ts'

// Where things are in every box.
export const workFolder = '/work' as BoxPath
export const gitFolder = '/cofferdam/git' as BoxPath
export const attemptFolder = '/cofferdam/attempt' as BoxPath
/** The gateway's socket is `s` in it, where the box has one. */
export const channelFolder = '/cofferdam/channel' as BoxPath
/** Where the first program of the box listens for the channel. */
export const proxyAddress = '127.0.0.1:3128'
export const entryProgram = '/cofferdam/entry' as BoxPath

/** The place of a package manager's cache. */
export function cacheFolder(name: string): BoxPath {
  return `/cofferdam/cache/${name}` as BoxPath
}

/** The place in the box of a path of the worktree. */
export function inWork(path: TreePath): BoxPath {
  return (path === '' ? workFolder : `${workFolder}/${path}`) as BoxPath
}

/** The path in the worktree that a place in the box stands for, or null where it is outside `/work`. */
export function fromWork(target: BoxPath): TreePath | null {
  if (target === workFolder) return ''
  return target.startsWith(`${workFolder}/`) ? target.slice(workFolder.length + 1) : null
}
