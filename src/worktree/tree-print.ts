import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readlinkSync } from 'node:fs'
import type { HostPath } from '../domain/brand.ts'
import { pace } from './pace.ts'
import { diskPath, rawJoin, type RawPath } from './raw.ts'

/**
 * A hash over everything under a folder: path, type, mode, owner, size, link target, and of files the times of writing
 * and of change, which no program can put back. Not over contents: a dependency tree of 30,000 files would take seconds
 * to read, and none of its files can be written without a new time of change. A copy of the tree has another hash.
 */
export async function printOf(root: HostPath): Promise<string> {
  const hash = createHash('sha256')
  const slices = pace()
  const open = ['' as RawPath]
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    const entries = readdirSync(diskPath(root, folder), { withFileTypes: true, encoding: 'latin1' })
    for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
      const path = rawJoin(folder, entry.name)
      hash.update(`${path}\0${factsOf(root, path)}\0`)
      if (entry.isDirectory()) open.push(path)
      if (slices.due()) await slices.rest()
    }
  }
  return hash.digest('hex')
}

function factsOf(root: HostPath, path: RawPath): string {
  const place = diskPath(root, path)
  const stats = lstatSync(place)
  const { mode, uid, gid, size, mtimeMs, ctimeMs } = stats
  // The size and times of a folder are its file system's affair; what is in it is looked at.
  if (stats.isDirectory()) return [mode, uid, gid].join(' ')
  const link = stats.isSymbolicLink() ? readlinkSync(place, { encoding: 'latin1' }) : ''
  return [mode, uid, gid, size, mtimeMs, ctimeMs, link].join(' ')
}
