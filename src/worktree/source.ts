import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import type { HostPath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import { isByName } from '../domain/remote.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { exists, isErrno, readPlain, readText } from './files.ts'
import type { Identity } from './git.ts'
import type { GitPlace } from './hardening.ts'

/**
 * A user's repository, found by looking at the file system alone: nothing of it has run or been read as configuration. Or
 * the mirror of one by URL.
 */
export interface Source {
  /** Its top level; of a bare repository, its own folder; of one by URL, its name, as nobody looks for it in a folder. */
  readonly top: HostPath
  readonly gitDir: HostPath
  /** Where objects and refs are: another folder than `gitDir` in a linked worktree. */
  readonly commonDir: HostPath
  readonly bare: boolean
  readonly shallow: boolean
  /** The ids that git runs under there; null where they are ours. */
  readonly owner: Identity | null
  /** It is the mirror of a repository by URL: branches of that are its `refs/remotes/origin`. */
  readonly remote?: true
}

export function mirrorSource(mirror: HostPath, name: string): Source {
  const places = { top: name as HostPath, gitDir: mirror, commonDir: mirror }
  return { ...places, bare: true, shallow: false, owner: null, remote: true }
}

/** The repository that `path` lies in. `self` is our own uid. */
export async function findSource(path: string, self: number): Promise<Source> {
  const found = await climb(await folderAt(path), path)
  const commonDir = await commonOf(found.gitDir)
  const { uid, gid } = await stat(commonDir)
  if (uid !== self && self !== 0)
    throw new Failure(
      'repository',
      `${found.top} belongs to another user (uid ${uid}): run this as that user, or make a clone of your own.`,
    )
  return {
    ...found,
    commonDir,
    shallow: exists(`${commonDir}/shallow`),
    owner: uid === self ? null : { uid, gid },
  }
}

/** The repository that a task was made from: what lies at its place, and not what that place lies in. */
export async function sourceOf({ id, repository }: TaskPlace, self: number): Promise<Source> {
  const { path } = repository
  // A name is no path: it would be looked for in the folder that this process happens to be in.
  if (isByName(path))
    throw new Failure(
      'repository',
      `${path} is a repository by URL, of which nothing is on this machine but its mirror: \`cofferdam task diff ${id}\` prints the work.`,
    )
  const isThere = exists(`${path}/.git`) || looksLikeGitDir(path)
  if (isThere || (await isOutOfReach(`${path}/.git`))) return await findSource(path, self)
  throw new Failure(
    'repository',
    `The repository of this task is no longer at ${path}: put it back there and resume the task, or discard the task.`,
  )
}

/** It may be there, but not for us to see. */
async function isOutOfReach(path: string): Promise<boolean> {
  return await stat(path).then(
    () => false,
    (error: unknown) => !isErrno(error, 'ENOENT', 'ENOTDIR'),
  )
}

/** Git on the source itself. */
export function sourcePlace(source: Source): GitPlace {
  return source.bare ? { gitDir: source.gitDir } : { gitDir: source.gitDir, workTree: source.top }
}

/** What goes wrong with a user's repository is said as such. */
export async function asRepository<T>(source: Source, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Failure && error.code === 'worktree')
      throw new Failure('repository', `${source.top}: ${error.message}`, { cause: error })
    throw error
  }
}

async function folderAt(path: string): Promise<string> {
  try {
    const real = await realpath(path)
    if ((await stat(real)).isDirectory()) return real
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR'))
      throw new Failure('repository', `There is no folder ${path}: give the path of a git repository.`)
    if (isErrno(error, 'EACCES', 'ELOOP', 'ENAMETOOLONG'))
      throw new Failure(
        'repository',
        `${path} cannot be reached: ${error instanceof Error ? error.message : ''}`,
      )
    throw error
  }
  throw new Failure('repository', `${path} is a file: give the path of a git repository.`)
}

async function climb(start: string, asked: string): Promise<Pick<Source, 'top' | 'gitDir' | 'bare'>> {
  for (let folder = start; ; folder = dirname(folder)) {
    const dotGit = `${folder}/.git`
    if (exists(dotGit)) return { top: folder as HostPath, gitDir: await gitDirAt(dotGit), bare: false }
    if (looksLikeGitDir(folder)) {
      const inside = basename(folder) === '.git'
      return {
        top: (inside ? dirname(folder) : folder) as HostPath,
        gitDir: folder as HostPath,
        bare: !inside,
      }
    }
    if (folder === dirname(folder))
      throw new Failure(
        'repository',
        `${asked} is not in a git repository: run \`git init\` there and commit, or give another path.`,
      )
  }
}

/** `.git` is a folder, or a file that names one. */
async function gitDirAt(dotGit: string): Promise<HostPath> {
  const real = await realpath(dotGit)
  if ((await stat(real)).isDirectory()) return real as HostPath
  const named = /^gitdir: (.+)\n?$/.exec(readPlain(real).toString('utf8'))?.[1]
  const gitDir = named === undefined ? null : resolve(dirname(real), named)
  if (gitDir === null || !exists(`${gitDir}/HEAD`))
    throw new Failure(
      'repository',
      `${dotGit} names no git repository: \`git worktree repair\` or a fresh clone may help.`,
    )
  return (await realpath(gitDir)) as HostPath
}

async function commonOf(gitDir: HostPath): Promise<HostPath> {
  const named = readText(`${gitDir}/commondir` as HostPath)
  return named === null ? gitDir : ((await realpath(resolve(gitDir, named.trim()))) as HostPath)
}

function looksLikeGitDir(folder: string): boolean {
  return ['HEAD', 'objects', 'refs'].every((name) => exists(`${folder}/${name}`))
}
