import { agentHome } from '../domain/agent.ts'
import type { BoxPath, TreePath } from '../domain/brand.ts'

// Where things are in every box.
export const homeFolder = '/home/agent' as BoxPath
export const workFolder = '/work' as BoxPath
export const gitFolder = '/cofferdam/git' as BoxPath
export const attemptFolder = '/cofferdam/attempt' as BoxPath
export const ownFolder = agentHome as BoxPath
export const channelFolder = '/cofferdam/channel' as BoxPath
/** The gateway's socket in it, where the box has one. */
export const channelSocket = 's'
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
