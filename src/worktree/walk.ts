import { chmodSync, lstatSync, readdirSync, type Dirent, type Stats } from 'node:fs'
import { opendir } from 'node:fs/promises'
import type { HostPath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import { isErrno } from './files.ts'
import type { FolderEntries, IndexFile } from './index-file.ts'
import { pace } from './pace.ts'
import { isGitFile } from './git-names.ts'
import { diskPath, rawJoin, shown, type RawPath } from './raw.ts'
import type { Found, Walked } from './seen.ts'

export interface WalkLimits {
  /** Entries in all. */
  readonly entries: number
  /** Bytes of a folder's path under the root; with the name of a file, the system still takes it. */
  readonly folderBytes: number
  /** The length of a file, whatever it takes of the disk, in bytes. */
  readonly fileBytes: number
  /** The length of one that git reads rules from, bytes. */
  readonly gitFileBytes: number
}

export const mostFolderBytes = 3500

/** `mostMb`: what a worktree may hold, MiB. */
export function walkLimits(mostMb: number): WalkLimits {
  return {
    entries: 2_000_000,
    folderBytes: mostFolderBytes,
    fileBytes: mostMb * 1024 * 1024,
    gitFileBytes: 1024 * 1024,
  }
}

// A folder whose own size is above this has so many entries that they are read in portions.
const bigFolderBytes = 1024 * 1024

/** Folders that a walk treats in their own way. */
export interface SpecialFolders {
  /** Not looked into: what setup left is mounted over them. */
  readonly closed: ReadonlySet<RawPath>
  /** Never hollow: a checkout leaves those of submodules empty. */
  readonly submodules: ReadonlySet<RawPath>
}

/**
 * Compares a tree that a box has written with its index, without following anything. What cannot be read gets its rights
 * back on the way. What is nested too deep is not looked into, and what is too long stands apart: nobody shall read it.
 */
export async function walk(
  root: HostPath,
  index: IndexFile,
  special: SpecialFolders,
  limits: WalkLimits,
): Promise<Walked> {
  const seen: Draft = {
    dirty: [],
    gone: [],
    untracked: [],
    specials: [],
    gits: [],
    setId: [],
    deep: [],
    long: [],
  }
  const folders: Visited[] = [{ path: '' as RawPath, parent: -1, filled: false }]
  const slices = pace()
  let count = 0
  let met = 0

  const enter = ({ name }: Dirent, found: Found, number: number, folder: Visited): void => {
    const path = rawJoin(folder.path, name)
    if (name === '.git') seen.gits.push({ path, found })
    else if (found !== 'folder') seen.specials.push({ path, found })
    else if (path.length > limits.folderBytes) seen.deep.push(path)
    else if (special.closed.has(path)) folder.filled = true
    else folders.push({ path, parent: number, filled: special.submodules.has(path) })
  }

  // Folders found on the way are appended: parents stand before their children.
  for (let number = 0; number < folders.length; number += 1) {
    const folder = folders[number]
    if (folder === undefined) break
    const place = diskPath(root, folder.path)
    const known = index.folders.get(folder.path)
    let metHere = 0
    const stats = opened(place, folder.path, seen)
    const portioned = stats.size > bigFolderBytes
    for await (const entries of portioned ? portions(place) : [namesIn(place)]) {
      for (const entry of entries) {
        const { name } = entry
        if (number === 0 && name === '.git') continue
        count += 1
        if (count > limits.entries) throw tooMany(limits.entries, rawJoin(folder.path, name))
        const found = foundOf(entry)
        if ((found === 'file' || found === 'symlink') && name !== '.git') {
          folder.filled = true
          const at = known?.get(name)
          if (at !== undefined) metHere += 1
          compare(place, folder.path, name, found, index, at, seen, limits)
        } else enter(entry, found, number, folder)
        if (slices.due()) await slices.rest()
      }
    }
    met += metHere
    if (known !== undefined && metHere < known.size) noteGone(folder.path, known, seen, root)
  }
  if (met < index.count) {
    const visited = new Set(folders.map(({ path }) => path))
    for (const [path, known] of index.folders) if (!visited.has(path)) noteGone(path, known, seen, null)
  }
  return { ...seen, hollow: hollowOf(folders) }
}

/** Looks at a file or a symlink; `at` is its entry in the index, where it has one. */
function compare(
  folder: string | Buffer,
  path: RawPath,
  name: string,
  found: 'file' | 'symlink',
  index: IndexFile,
  at: number | undefined,
  seen: Draft,
  limits: WalkLimits,
): void {
  const place = below(folder, name)
  const stats = lstatSync(place)
  if (found === 'file' && (stats.mode & 0o6400) !== 0o400) {
    if ((stats.mode & 0o6000) !== 0) seen.setId.push(rawJoin(path, name))
    if ((stats.mode & 0o400) === 0) chmodSync(place, (stats.mode & 0o777) | 0o400)
  }
  if (at !== undefined && index.same(at, stats)) return
  const most = isGitFile(name) ? Math.min(limits.gitFileBytes, limits.fileBytes) : limits.fileBytes
  if (found === 'file' && stats.size > most)
    seen.long.push({ path: rawJoin(path, name), tracked: at !== undefined, most })
  else if (at === undefined) seen.untracked.push({ path: rawJoin(path, name), found })
  else seen.dirty.push({ path: rawJoin(path, name), entry: at })
}

/**
 * Notes what of a folder's entries is no file or symlink any more. Where the folder itself is gone, `root` is null and
 * nobody looks: there may be a symlink in its place.
 */
function noteGone(folder: RawPath, known: FolderEntries, seen: Draft, root: HostPath | null): void {
  for (const [name, entry] of known) {
    const path = rawJoin(folder, name)
    const found = root === null ? 'gone' : lookAt(root, path)
    if (found !== 'file' && found !== 'symlink') seen.gone.push({ path, entry })
  }
}

interface Visited {
  readonly path: RawPath
  readonly parent: number
  filled: boolean
}

type Draft = { -readonly [Key in keyof Omit<Walked, 'hollow'>]: Walked[Key][number][] }

const plain = /^[\0-\x7f]*$/

/** A name in a folder; raw bytes as soon as one of them is needed. */
function below(folder: string | Buffer, name: string): string | Buffer {
  if (typeof folder === 'string' && plain.test(name)) return `${folder}/${name}`
  return Buffer.concat([Buffer.from(folder), Buffer.from('/'), Buffer.from(name, 'latin1')])
}

/** What a folder is, with our rights to it given back. */
function opened(place: string | Buffer, path: RawPath, seen: Draft): Stats {
  const stats = lstatSync(place)
  if ((stats.mode & 0o6000) !== 0) seen.setId.push(path)
  if ((stats.mode & 0o700) !== 0o700) chmodSync(place, (stats.mode & 0o777) | 0o700)
  return stats
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

function namesIn(place: string | Buffer): readonly Dirent[] {
  return readdirSync(place, { withFileTypes: true, encoding: 'latin1' })
}

async function* portions(place: string | Buffer): AsyncGenerator<readonly Dirent[]> {
  const folder = await opendir(place, { encoding: 'latin1', bufferSize: 1024 })
  for await (const entry of folder) yield [entry]
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
