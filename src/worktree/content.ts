import { createHash, type Hash } from 'node:crypto'
import { createReadStream, lstatSync, readlinkSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { HostPath } from '../domain/brand.ts'
import { readPlain } from './files.ts'
import { modeOf, type IndexFile } from './index-file.ts'
import { pace } from './pace.ts'
import { diskPath, type RawPath } from './raw.ts'
import type { Changed, Tracked } from './seen.ts'

// Larger files are read in portions.
const smallBytes = 1024 * 1024

/** Sorts files that do not look as their index says into changed ones and merely touched ones, by their content. */
export async function settle(
  root: HostPath,
  index: IndexFile,
  dirty: readonly Tracked[],
): Promise<{ changed: readonly Changed[]; touched: readonly RawPath[] }> {
  const changed: Changed[] = []
  const touched: RawPath[] = []
  const slices = pace()
  for (const { path, entry } of dirty) {
    const place = diskPath(root, path)
    const stats = lstatSync(place)
    const mode = modeOf(stats)
    const id = index.id(entry)
    const known = index.size(entry)
    // Git writes 0 for what it wants to be looked at closely.
    const resized = known !== stats.size >>> 0 && (known !== 0 || id === emptyId(id.length))
    const same =
      !resized && mode === index.mode(entry) && (await blobId(place, stats.size, mode, id.length)) === id
    if (same) touched.push(path)
    else changed.push({ path, mode, disguised: index.sameToGit(entry, stats) })
    if (slices.due()) await slices.rest()
  }
  return { changed, touched }
}

function emptyId(digits: number): string {
  return named(hashOf(digits), Buffer.alloc(0))
}

function hashOf(digits: number): Hash {
  return createHash(digits === 40 ? 'sha1' : 'sha256')
}

/** The id that git gives to what is at a place. */
async function blobId(place: string | Buffer, size: number, mode: string, digits: number): Promise<string> {
  const hash = hashOf(digits)
  if (mode === '120000') return named(hash, readlinkSync(place, 'buffer'))
  if (size <= smallBytes) return named(hash, readPlain(place))
  hash.update(`blob ${size}\0`)
  await pipeline(createReadStream(place), hash)
  return hash.digest('hex')
}

function named(hash: Hash, content: Buffer): string {
  return hash.update(`blob ${content.length}\0`).update(content).digest('hex')
}
