import type { Stats } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { HostPath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import type { RawPath } from './raw.ts'

// Git tells changed files by the second, and by times that a program can put back. What a box leaves is compared here
// with the same index, to the nanosecond: the time of change cannot be put back, and no box writes in the instant in
// which we do. The format is gitformat-index(5), version 2 or 3, in the byte order of the network.

const statBytes = 40
const offsets = { ctime: 0, mtime: 8, ino: 20, mode: 24, uid: 28, gid: 32, size: 36 } as const
const nameMask = 0xfff
const extended = 0x4000
const slash = 0x2f

/** The entries of one folder by name: numbers that stand for them. */
export type FolderEntries = ReadonlyMap<string, number>

export interface IndexFile {
  /** Every folder that holds entries itself; the root is `''`. By folder, as looking up short names is quick. */
  readonly folders: ReadonlyMap<RawPath, FolderEntries>
  readonly count: number
  /** The mode, octal. */
  mode(entry: number): string
  /** The id of the content, hex. */
  id(entry: number): string
  /** The size in bytes, modulo 2^32; 0 also where git asks for a closer look. */
  size(entry: number): number
  /** Whether a file is exactly as it was when the entry was written. */
  same(entry: number, stats: Stats): boolean
  /** Whether git would take it for that, going by the second alone. */
  sameToGit(entry: number, stats: Stats): boolean
}

/** `idBytes`: 20 in a repository of SHA-1, 32 of SHA-256. */
export async function readIndex(path: HostPath, idBytes: number): Promise<IndexFile> {
  const file = await readFile(path)
  try {
    return parseIndex(file, idBytes)
  } catch (cause) {
    throw new Failure('worktree', `The index ${path} is damaged; it is made anew when the task is resumed.`, {
      cause,
    })
  }
}

function parseIndex(file: Buffer, idBytes: number): IndexFile {
  const version = file.readUInt32BE(4)
  if (file.toString('latin1', 0, 4) !== 'DIRC' || version < 2 || version > 3)
    throw new Error(`an index of version ${version}`)
  const folders = new Map<RawPath, Map<string, number>>()
  let folder = new Map<string, number>()
  let folderAt = 0
  let folderBytes = -1
  const count = file.readUInt32BE(8)
  let at = 12
  for (let left = count; left > 0; left -= 1) {
    const flagsAt = at + statBytes + idBytes
    const flags = file.readUInt16BE(flagsAt)
    const nameAt = flagsAt + ((flags & extended) === 0 ? 2 : 4)
    const length = flags & nameMask
    const end = length < nameMask ? nameAt + length : file.indexOf(0, nameAt)
    let base = end
    while (base > nameAt && file[base - 1] !== slash) base -= 1
    const bytes = Math.max(0, base - 1 - nameAt)
    // Entries are sorted, so those of one folder come mostly in a row.
    if (bytes !== folderBytes || !alike(file, folderAt, nameAt, bytes)) {
      const path = file.toString('latin1', nameAt, nameAt + bytes) as RawPath
      folder = folders.get(path) ?? new Map<string, number>()
      folders.set(path, folder)
      folderAt = nameAt
      folderBytes = bytes
    }
    folder.set(file.toString('latin1', base, end), at)
    // At least one zero, up to a multiple of eight.
    at += (end - at + 8) & ~7
  }
  if (at > file.length) throw new Error('an index that ends too early')
  return viewOf(file, idBytes, folders, count)
}

/** Whether two stretches of the same length hold the same bytes; the last ones differ first. */
function alike(file: Buffer, one: number, other: number, bytes: number): boolean {
  for (let at = bytes - 1; at >= 0; at -= 1) if (file[one + at] !== file[other + at]) return false
  return true
}

function viewOf(
  file: Buffer,
  idBytes: number,
  folders: ReadonlyMap<RawPath, FolderEntries>,
  count: number,
): IndexFile {
  const word = (entry: number, offset: number): number => file.readUInt32BE(entry + offset)
  const time = (entry: number, offset: number): number =>
    word(entry, offset) * 1000 + word(entry, offset + 4) / 1e6
  const samePlain = (entry: number, stats: Stats): boolean =>
    word(entry, offsets.size) === stats.size >>> 0 &&
    word(entry, offsets.ino) === stats.ino >>> 0 &&
    word(entry, offsets.uid) === stats.uid &&
    word(entry, offsets.gid) === stats.gid &&
    word(entry, offsets.mode) === modeNumber(stats)
  return {
    folders,
    count,
    mode: (entry) => octal(word(entry, offsets.mode)),
    id: (entry) => file.toString('hex', entry + statBytes, entry + statBytes + idBytes),
    size: (entry) => word(entry, offsets.size),
    same: (entry, stats) =>
      samePlain(entry, stats) &&
      time(entry, offsets.ctime) === stats.ctimeMs &&
      time(entry, offsets.mtime) === stats.mtimeMs,
    sameToGit: (entry, stats) =>
      samePlain(entry, stats) &&
      word(entry, offsets.ctime) === Math.floor(stats.ctimeMs / 1000) &&
      word(entry, offsets.mtime) === Math.floor(stats.mtimeMs / 1000),
  }
}

/** The mode that git gives to a file or a symlink on disk. */
export function modeOf(stats: Stats): string {
  return octal(modeNumber(stats))
}

function modeNumber(stats: Stats): number {
  if (stats.isSymbolicLink()) return 0o120000
  return (stats.mode & 0o100) === 0 ? 0o100644 : 0o100755
}

function octal(mode: number): string {
  return mode.toString(8).padStart(6, '0')
}
