import type { Stats } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { HostPath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import { submoduleMode } from './entries.ts'
import type { RawPath } from './raw.ts'

// Git tells changed files by the second, and by times that a program can put back. What a box leaves is compared here
// with the same index, to the nanosecond: the time of change cannot be put back, and no box writes in the instant in
// which we do. The format is gitformat-index(5), version 2 or 3, in the byte order of the network.

const statBytes = 40
const offsets = { ctime: 0, mtime: 8, ino: 20, mode: 24, uid: 28, gid: 32, size: 36 } as const
const nameMask = 0xfff
const extended = 0x4000

export interface IndexFile {
  /** Where each path's entry is in the file. Callers may take out what they are done with. */
  readonly entries: Map<RawPath, number>
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

export async function readIndex(path: HostPath): Promise<IndexFile> {
  return parseIndex(await readFile(path))
}

export function parseIndex(file: Buffer): IndexFile {
  const version = file.length < 12 || file.toString('latin1', 0, 4) !== 'DIRC' ? 0 : file.readUInt32BE(4)
  if (version !== 2 && version !== 3) throw new Failure('worktree', 'The index of the worktree is damaged.')
  const idBytes = idLength(file)
  const entries = new Map<RawPath, number>()
  let at = 12
  for (let count = file.readUInt32BE(8); count > 0; count -= 1) {
    const flagsAt = at + statBytes + idBytes
    const flags = file.readUInt16BE(flagsAt)
    const nameAt = flagsAt + ((flags & extended) === 0 ? 2 : 4)
    const length = flags & nameMask
    const end = length < nameMask ? nameAt + length : file.indexOf(0, nameAt)
    entries.set(file.latin1Slice(nameAt, end) as RawPath, at)
    // At least one zero, up to a multiple of eight.
    at += (end - at + 8) & ~7
  }
  const word = (entry: number, offset: number): number => file.readUInt32BE(entry + offset)
  const time = (entry: number, offset: number): number =>
    word(entry, offset) * 1000 + word(entry, offset + 4) / 1e6
  const mode = (entry: number): string => word(entry, offsets.mode).toString(8).padStart(6, '0')
  const alike = (entry: number, stats: Stats): boolean =>
    word(entry, offsets.size) === stats.size >>> 0 &&
    word(entry, offsets.ino) === stats.ino >>> 0 &&
    word(entry, offsets.uid) === stats.uid &&
    word(entry, offsets.gid) === stats.gid &&
    word(entry, offsets.mode) === Number.parseInt(modeOf(stats), 8)
  return {
    entries,
    mode,
    id: (entry) => file.toString('hex', entry + statBytes, entry + statBytes + idBytes),
    size: (entry) => word(entry, offsets.size),
    same: (entry, stats) =>
      alike(entry, stats) &&
      time(entry, offsets.ctime) === stats.ctimeMs &&
      time(entry, offsets.mtime) === stats.mtimeMs,
    sameToGit: (entry, stats) =>
      alike(entry, stats) &&
      word(entry, offsets.ctime) === Math.floor(stats.ctimeMs / 1000) &&
      word(entry, offsets.mtime) === Math.floor(stats.mtimeMs / 1000),
  }
}

/** The mode that git gives to what is on disk; a folder's is that of a submodule. */
export function modeOf(stats: Stats): string {
  if (stats.isSymbolicLink()) return '120000'
  if (stats.isDirectory()) return submoduleMode
  return (stats.mode & 0o100) === 0 ? '100644' : '100755'
}
