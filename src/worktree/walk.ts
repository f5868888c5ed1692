import { chmodSync, lstatSync, readdirSync, type Dirent, type Stats } from 'node:fs'
import { opendir } from 'node:fs/promises'
import type { HostPath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import { isErrno } from './files.ts'
import { pace } from './pace.ts'
import { diskPath, rawJoin, textOf, type RawPath } from './raw.ts'
import type { Found, Place, Walked } from './seen.ts'

export interface WalkLimits {
  /** Entries in all. */
  readonly entries: number
  /** Bytes of a path under the root. */
  readonly pathBytes: number
}

export const walkLimits: WalkLimits = { entries: 2_000_000, pathBytes: 3800 }

export interface WalkOptions {
  /** When the tree was sealed; see `Walked.young`. */
  readonly sealedMs: number
  /** Folders that are not looked into and count as filled: submodules, what setup left. */
  readonly closed: ReadonlySet<RawPath>
  /** Whether rights stand in our way, as we are not root. */
  readonly bound: boolean
  readonly limits: WalkLimits
}

// A folder whose own size is above this has so many entries that they are read in portions.
const bigFolderBytes = 1024 * 1024

/** Walks a tree that a box has written, without following anything. */
export async function walk(root: HostPath, options: WalkOptions): Promise<Walked> {
  const specials: Place[] = []
  const gits: Place[] = []
  const setId: RawPath[] = []
  const young: RawPath[] = []
  const folders: { path: RawPath; parent: number; filled: boolean }[] = [
    { path: '' as RawPath, parent: -1, filled: false },
  ]
  const slices = pace()
  let count = 0
  let repaired = false

  const repair = (path: RawPath, stats: Stats, missing: number): void => {
    chmodSync(diskPath(root, path), (stats.mode & 0o777) | missing)
    repaired ||= options.bound
  }
  const enter = (entry: Dirent, parent: number): void => {
    const folder = folders[parent]
    if (folder === undefined || (parent === 0 && entry.name === '.git')) return
    count += 1
    const path = rawJoin(folder.path, entry.name)
    if (count > options.limits.entries) throw tooMany(options.limits.entries, path)
    if (path.length > options.limits.pathBytes) throw tooDeep(options.limits.pathBytes, path)
    const found = foundOf(entry)
    if (entry.name === '.git') gits.push({ path, found })
    if (found === 'folder') {
      const closed = options.closed.has(path)
      folder.filled ||= closed
      if (!closed) folders.push({ path, parent, filled: false })
      return
    }
    folder.filled ||= found === 'file' || found === 'symlink'
    if (found !== 'file' && found !== 'symlink') specials.push({ path, found })
    const stats = lstatSync(diskPath(root, path), { throwIfNoEntry: false })
    if (stats === undefined) return
    if (isYoung(stats, options.sealedMs)) young.push(path)
    if (found === 'symlink') return
    if ((stats.mode & 0o6000) !== 0) setId.push(path)
    if (found === 'file' && (stats.mode & 0o400) === 0) repair(path, stats, 0o400)
  }

  // Folders found on the way are appended: parents stand before their children.
  for (let index = 0; index < folders.length; index += 1) {
    const folder = folders[index]
    if (folder === undefined) break
    const place = diskPath(root, folder.path)
    const stats = lstatSync(place)
    if ((stats.mode & 0o6000) !== 0) setId.push(folder.path)
    if ((stats.mode & 0o700) !== 0o700) repair(folder.path, stats, 0o700)
    for await (const entries of portions(place, stats)) {
      for (const entry of entries) {
        enter(entry, index)
        if (slices.due()) await slices.rest()
      }
    }
  }
  return { specials, gits, hollow: hollowOf(folders), setId, young, repaired }
}

/** Everything in a folder, itself included. */
export async function listBelow(root: HostPath, top: RawPath): Promise<readonly Place[]> {
  const all: Place[] = [{ path: top, found: 'folder' }]
  const slices = pace()
  for (let index = 0; index < all.length; index += 1) {
    const current = all[index]
    if (current?.found !== 'folder') continue
    const place = diskPath(root, current.path)
    for await (const entries of portions(place, lstatSync(place))) {
      for (const entry of entries)
        all.push({ path: rawJoin(current.path, entry.name), found: foundOf(entry) })
      if (slices.due()) await slices.rest()
    }
  }
  return all
}

/** What is at a path now. */
export function lookAt(root: HostPath, path: RawPath): Found {
  try {
    return foundOf(lstatSync(diskPath(root, path)))
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return 'gone'
    throw error
  }
}

function foundOf(entry: Dirent | Stats): Found {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  if (entry.isSymbolicLink()) return 'symlink'
  if (entry.isFIFO()) return 'fifo'
  return entry.isSocket() ? 'socket' : 'device'
}

async function* portions(place: string | Buffer, stats: Stats): AsyncGenerator<readonly Dirent[]> {
  if (stats.size <= bigFolderBytes) {
    yield readdirSync(place, { withFileTypes: true, encoding: 'latin1' })
    return
  }
  const folder = await opendir(place, { encoding: 'latin1', bufferSize: 1024 })
  for await (const entry of folder) yield [entry]
}

function isYoung(stats: Stats, sealedMs: number): boolean {
  return stats.ctimeMs > sealedMs && Math.floor(stats.ctimeMs / 1000) === Math.floor(sealedMs / 1000)
}

function hollowOf(
  folders: readonly { path: RawPath; parent: number; filled: boolean }[],
): readonly RawPath[] {
  for (let index = folders.length - 1; index > 0; index -= 1) {
    const folder = folders[index]
    const parent = folder === undefined ? undefined : folders[folder.parent]
    if (folder?.filled === true && parent !== undefined) parent.filled = true
  }
  return folders.filter((folder, index) => index > 0 && !folder.filled).map(({ path }) => path)
}

function tooMany(most: number, path: RawPath): Failure {
  return new Failure(
    'worktree',
    `The worktree holds more than ${most} files and folders (one is ${shown(path)}): the step's changes are dropped.`,
  )
}

function tooDeep(most: number, path: RawPath): Failure {
  return new Failure(
    'worktree',
    `The worktree holds a path of more than ${most} bytes (${shown(path)}): the step's changes are dropped.`,
  )
}

function shown(path: RawPath): string {
  const text = textOf(path)
  return text.length <= 120 ? text : `${text.slice(0, 117)}...`
}
