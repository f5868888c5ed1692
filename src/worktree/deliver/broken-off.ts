import { lstatSync, readFileSync, readlinkSync } from 'node:fs'
import type { CommitId, HostPath } from '../../domain/brand.ts'
import { readBlobs } from '../blobs.ts'
import { indexInfo } from '../entries.ts'
import { drop } from '../files.ts'
import { at } from '../layout.ts'
import { diskPath, nulled, type RawPath } from '../raw.ts'
import { readRef, writeRef } from '../refs.ts'
import type { Site } from '../site.ts'
import type { Checkout } from './checkouts.ts'
import { type Difference, differencesOf } from './differences.ts'
import { unseenIn } from './obstacles.ts'

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
 * Paths in which the two commits do not differ are not touched, whatever they hold.
 * @param dirty what differs from `from` there, by its status
 */
export async function takeBack(
  site: Site,
  mirror: HostPath,
  checkout: Checkout,
  from: CommitId,
  dirty: readonly RawPath[],
): Promise<boolean> {
  const { place, options, folder } = checkout
  const to = readRef(mirror, moving)
  if (to === null) return false
  const differences = await differencesOf(site, { gitDir: mirror }, from, to as CommitId)
  const made = differences.filter(({ isNew, path }) => isNew && contentAt(folder, path) !== null)
  if (dirty.length === 0 && made.length === 0) {
    // It had not begun to write, or all of that is gone.
    endMove(mirror)
    return false
  }
  const paths = new Set(differences.map(({ path }) => path))
  if (!dirty.every((path) => paths.has(path))) return false
  if ((await unseenIn(site, checkout, paths)).length > 0) return false
  const isStaged = await site.git.ask(place, ['diff-index', '--cached', '--quiet', from, '--'], options)
  if (isStaged.code !== 0) return false
  if (!(await areOurs(site, mirror, folder, differences))) return false
  await removeFrom(site, checkout, made)
  await writeAnew(
    site,
    checkout,
    dirty.filter((path) => !made.some((each) => each.path === path)),
  )
  endMove(mirror)
  return true
}

/** Removes files that are not tracked yet, with the folders that are empty then, as the owner of the repository. */
async function removeFrom(
  site: Site,
  { place, options }: Checkout,
  made: readonly Difference[],
): Promise<void> {
  if (made.length === 0) return
  // Git removes what is in the index alone.
  const entries = made.map(({ mode, after, path }) => ({ mode, id: after ?? '', path }))
  const run = (args: readonly string[], input: Buffer) => site.git.run(place, args, { ...options, input })
  await run(['update-index', '--add', '--replace', '-z', '--index-info'], indexInfo(entries))
  await run(['rm', '-q', '-f', ...pathsFromInput], nulled(made.map(({ path }) => path)))
}

const pathsFromInput = ['--pathspec-from-file=-', '--pathspec-file-nul'] as const

/** Writes files as the index has them. */
async function writeAnew(site: Site, { place, options }: Checkout, paths: readonly RawPath[]): Promise<void> {
  if (paths.length === 0) return
  const input = nulled(paths)
  await site.git.run(place, ['checkout-index', '-f', '-u', '-z', '--stdin'], { ...options, input })
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
