import { lstatSync, readFileSync, readlinkSync } from 'node:fs'
import type { CommitId, HostPath } from '../../domain/brand.ts'
import { readBlobs } from '../blobs.ts'
import { indexInfo } from '../entries.ts'
import { drop } from '../files.ts'
import { at } from '../layout.ts'
import { diskPath, type RawPath } from '../raw.ts'
import { readRef, writeRef } from '../refs.ts'
import type { Site } from '../site.ts'
import type { Checkout } from './checkouts.ts'
import { type Difference, differencesOf } from './differences.ts'

// While git brings a checkout to another commit, a ref of the mirror names that one. There is one move at a time in a
// repository; where the ref is found by the next, git was ended in the middle, with half of the files written.
const moving = 'refs/cofferdam-moving/to'

export async function beginMove(mirror: HostPath, to: CommitId): Promise<void> {
  await writeRef(mirror, moving, to)
}

export function endMove(mirror: HostPath): void {
  drop(at(mirror, moving))
}

/** More than this is not compared, bytes. */
const mostBytes = 256 * 1024 * 1024

/**
 * Takes back what a move that was broken off has written into a checkout, so that it is at `from` again. Nothing is done
 * where a file is neither as it was nor as the move writes it, as far as it came: somebody has been at work there since.
 * @param dirty what differs from `from` there, by its status
 */
export async function takeBack(
  site: Site,
  mirror: HostPath,
  { place, options, folder }: Checkout,
  from: CommitId,
  dirty: readonly RawPath[],
): Promise<boolean> {
  const to = readRef(mirror, moving)
  if (to === null) return false
  const staged = await site.git.ask(place, ['diff-index', '--cached', '--quiet', from, '--'], options)
  if (staged.code !== 0) return false
  const differences = await differencesOf(site, { gitDir: mirror }, from, to as CommitId)
  const paths = new Set(differences.map(({ path }) => path))
  if (!dirty.every((path) => paths.has(path))) return false
  if (!(await areOurs(site, mirror, folder, differences))) return false
  const made = differences.filter(({ isNew, path }) => isNew && contentAt(folder, path) !== null)
  // What is in the index and not in the commit is removed.
  const entries = made.map(({ mode, after, path }) => ({ mode, id: after ?? '', path }))
  if (entries.length > 0)
    await site.git.run(place, ['update-index', '--add', '--replace', '-z', '--index-info'], {
      ...options,
      input: indexInfo(entries),
    })
  await site.git.run(place, ['read-tree', '--reset', '-u', from], options)
  endMove(mirror)
  return true
}

/** Whether each file is as it was, or as it is to be, or as far as that was written. */
async function areOurs(
  site: Site,
  mirror: HostPath,
  folder: HostPath,
  differences: readonly Difference[],
): Promise<boolean> {
  const ids = differences.flatMap(({ before, after }) => [before, after].filter((id) => id !== null))
  const blobs = await readBlobs(site.git, { gitDir: mirror }, ids, { mostBytes, cut: true })
  return differences.every(({ path, before, after }) => {
    const content = contentAt(folder, path)
    if (content === null) return true
    const [old, young] = [before, after].map((id) => (id === null ? undefined : blobs.get(id)))
    return old?.equals(content) === true || young?.subarray(0, content.length).equals(content) === true
  })
}

/** What is at a path, of a symlink its target; null where there is nothing, or a folder. */
function contentAt(folder: HostPath, path: RawPath): Buffer | null {
  const place = diskPath(folder, path)
  const stats = lstatSync(place, { throwIfNoEntry: false })
  if (stats === undefined || stats.isDirectory()) return null
  if (stats.isSymbolicLink()) return readlinkSync(place, { encoding: 'buffer' })
  // Of anything that is no file nothing of ours.
  return stats.isFile() && stats.size <= mostBytes ? readFileSync(place) : Buffer.from('\0 no file')
}
