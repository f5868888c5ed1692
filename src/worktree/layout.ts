import type { HostPath } from '../domain/brand.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import type { GitPlace } from './hardening.ts'

/** Where the parts of one task lie. No box can write in any of them but `worktree`, `boxGit`, `setupTree` and `agentFolder`. */
export interface TaskLayout {
  readonly mirror: HostPath
  /** The linked worktree's own folder in the mirror. */
  readonly gitDir: HostPath
  readonly worktree: HostPath
  readonly privateFolder: HostPath
  /** What was true when the worktree was made, and what is true of it now. */
  readonly baseFile: HostPath
  readonly stateFile: HostPath
  /** Trees of commits, without denied paths, once computed. */
  readonly filtered: HostPath
  readonly boxGit: HostPath
  readonly pointer: HostPath
  /** The checkout for test boxes, its index, and the tree that it holds. */
  readonly tree: HostPath
  readonly treeIndex: HostPath
  readonly treeAt: HostPath
  readonly setups: HostPath
  readonly setupTree: HostPath
  readonly setupIndex: HostPath
  readonly kept: HostPath
  readonly keptFile: HostPath
  readonly attempts: HostPath
  /** The agent's own folder, and what was kept of it, one folder for each attempt. */
  readonly agentFolder: HostPath
  readonly conversations: HostPath
}

export function mirrorsOf(data: HostPath): HostPath {
  return at(data, 'mirrors')
}

export function mirrorOf(data: HostPath, key: string): HostPath {
  return at(mirrorsOf(data), `${key}.git`)
}

export function layoutOf(data: HostPath, task: Pick<TaskPlace, 'id' | 'repository'>): TaskLayout {
  const mirror = mirrorOf(data, task.repository.key)
  const privateFolder = at(data, `private/${task.id}`)
  const setups = at(data, `setups/${task.id}`)
  return {
    mirror,
    gitDir: at(mirror, `worktrees/${task.id}`),
    worktree: at(data, `tasks/${task.id}`),
    privateFolder,
    baseFile: at(privateFolder, 'base.json'),
    stateFile: at(privateFolder, 'state.json'),
    filtered: at(privateFolder, 'filtered'),
    boxGit: at(privateFolder, 'git'),
    pointer: at(privateFolder, 'pointer'),
    tree: at(data, `trees/${task.id}`),
    treeIndex: at(privateFolder, 'tree-index'),
    treeAt: at(privateFolder, 'tree-at'),
    setups,
    setupTree: at(setups, 'tree'),
    setupIndex: at(privateFolder, 'setup-index'),
    kept: at(setups, 'kept'),
    keptFile: at(setups, 'kept.json'),
    attempts: at(data, `attempts/${task.id}`),
    agentFolder: at(data, `agents/${task.id}/folder`),
    conversations: at(data, `agents/${task.id}/kept`),
  }
}

/**
 * A package manager's cache, of one repository: what the setup of one fills is never given to another, and outlives the
 * task.
 */
export function cacheOf(data: HostPath, task: Pick<TaskPlace, 'repository'>, name: string): HostPath {
  if (!/^[a-z]{1,20}$/.test(name)) throw new Error(`no name of a cache: ${JSON.stringify(name)}`)
  return at(data, `caches/${task.repository.key}/${name}`)
}

/** Folders of the data folder in which each task has one of its own. */
export const kinds = ['private', 'tasks', 'trees', 'setups', 'attempts', 'agents'] as const

/** Each folder of a task that is removed with it. */
export function foldersOf(data: HostPath, id: string): readonly HostPath[] {
  return kinds.map((kind) => at(data, `${kind}/${id}`))
}

export function indexFile(layout: TaskLayout, generation: number): HostPath {
  return at(layout.privateFolder, `index-${generation}`)
}

/** The worktree with the index of a generation. */
export function worktreePlace(layout: TaskLayout, generation: number): Required<GitPlace> {
  return { gitDir: layout.gitDir, workTree: layout.worktree, index: indexFile(layout, generation) }
}

export function at(folder: HostPath, name: string): HostPath {
  return `${folder}/${name}` as HostPath
}
