import { accessSync, constants, lstatSync, readdirSync, statSync, type Stats } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { CommitId, HostPath } from '../../domain/brand.ts'
import { fewOf } from '../../domain/text.ts'
import type { Identity } from '../git.ts'
import type { GitPlace } from '../hardening.ts'
import { diskPath, parts, type RawPath, rawJoin, textOf } from '../raw.ts'
import type { Site } from '../site.ts'
import type { Checkout } from './checkouts.ts'
import { type Difference, differencesOf } from './differences.ts'

/** Why a checkout cannot follow, after "is checked out in FOLDER, ", and what to do. */
export interface Obstacle {
  readonly what: string
  readonly next: string
}

/**
 * What git would write over, or could write only half of, in a checkout that has no changes by its status: ignored files
 * are nothing to git where a commit has files of their names, and it looks away from what it was told to.
 * @param mirror holds both commits
 */
export async function obstacleIn(
  site: Site,
  mirror: HostPath,
  checkout: Checkout,
  from: CommitId,
  to: CommitId,
): Promise<Obstacle | null> {
  const { folder, options } = checkout
  const differences = await differencesOf(site, { gitDir: mirror }, from, to)
  const gone = new Set<string>(differences.filter(({ isGone }) => isGone).map(({ path }) => path))
  const strangers = differences
    .filter(({ isNew }) => isNew)
    .flatMap(({ path }) => inTheWay(folder, path, gone))
  if (strangers.length > 0)
    return {
      what: `where files are in the way that are not tracked (${named(strangers)})`,
      next: 'move them',
    }
  const unseen = await unseenIn(site, checkout, new Set(differences.map(({ path }) => path)))
  if (unseen.length > 0)
    return {
      what: `where git is told not to look at ${named(unseen)}`,
      next: '`git update-index --no-assume-unchanged --no-skip-worktree` them',
    }
  const shut = foldersOf(folder, differences).filter(
    (each) => !isWritable(diskPath(folder, each), options.as ?? null),
  )
  if (shut.length > 0)
    return {
      what: `where the owner of the repository may not write (${fewOf(shut.map((each) => `${folder}/${textOf(each)}`))})`,
      next: 'give them the right, or check out another branch there',
    }
  if (!(await hasRoom(site, { gitDir: mirror }, folder, differences)))
    return { what: 'on a disk that is nearly full', next: 'make room there' }
  return null
}

const named = (paths: readonly RawPath[]): string => fewOf([...new Set(paths.map(textOf))])

/** What is on the disk where a new file is to be, or one of its folders, but what goes in the same move. */
function inTheWay(folder: HostPath, path: RawPath, gone: ReadonlySet<string>): readonly RawPath[] {
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    const parent = path.slice(0, slash) as RawPath
    const stats = seen(folder, parent)
    if (stats === undefined || gone.has(parent)) return []
    if (!stats.isDirectory()) return [parent]
  }
  return filesAt(folder, path).filter((each) => !gone.has(each))
}

/** A file itself, or all that are in a folder. */
function filesAt(folder: HostPath, path: RawPath): readonly RawPath[] {
  const stats = seen(folder, path)
  if (stats === undefined) return []
  if (!stats.isDirectory()) return [path]
  return readdirSync(diskPath(folder, path), { encoding: 'latin1' }).flatMap((name) =>
    filesAt(folder, rawJoin(path, name)),
  )
}

function seen(folder: HostPath, path: RawPath): Stats | undefined {
  return lstatSync(diskPath(folder, path), { throwIfNoEntry: false })
}

/** Those that are there although the index says to take them as unchanged, or as left out. */
export async function unseenIn(
  site: Site,
  { place, options, folder }: Checkout,
  paths: ReadonlySet<RawPath>,
): Promise<readonly RawPath[]> {
  const listed = parts(await site.git.run(place, ['ls-files', '-v', '-z'], options))
  return listed
    .filter((line) => /^[a-zS] /.test(line))
    .map((line) => line.slice(2) as RawPath)
    .filter((path) => paths.has(path) && seen(folder, path) !== undefined)
}

/** The folders that are to be written in, as far as they are there; '' is the checkout itself. */
function foldersOf(folder: HostPath, differences: readonly Difference[]): readonly RawPath[] {
  const found = new Set<RawPath>()
  for (const parent of new Set(differences.map(({ path }) => dirname(path)))) {
    let at = parent
    while (at !== '.' && seen(folder, at as RawPath)?.isDirectory() !== true) at = dirname(at)
    found.add((at === '.' ? '' : at) as RawPath)
  }
  return [...found]
}

/** @param owner whose rights count; null: our own */
function isWritable(folder: string | Buffer, owner: Identity | null): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch {
    return false
  }
  if (owner === null) return true
  const { uid, gid, mode } = statSync(folder)
  const shift = uid === owner.uid ? 6 : gid === owner.gid ? 3 : 0
  return ((mode >> shift) & 0o3) === 0o3
}

/** Bytes that are left free besides what is written. */
const spare = 16 * 1024 * 1024

async function hasRoom(
  site: Site,
  mirror: GitPlace,
  folder: HostPath,
  differences: readonly Difference[],
): Promise<boolean> {
  const ids = differences.flatMap(({ after }) => after ?? [])
  const args = ['cat-file', '--batch-check=%(objectsize)']
  const sizes = await site.git.line(mirror, args, { input: lines(ids) })
  const needed = sizes.split('\n').reduce((sum, size) => sum + (Number(size) || 0), 0)
  const { bavail, bsize } = await statfs(folder)
  return needed + spare <= bavail * bsize
}

const lines = (ids: readonly string[]): string => ids.map((id) => `${id}\n`).join('')
