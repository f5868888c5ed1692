import { lstatSync, readlinkSync } from 'node:fs'
import { z } from 'zod'
import type { CommitId, HostPath } from '../../domain/brand.ts'
import { indexInfo } from '../entries.ts'
import { drop, readJson, readPlain, writeWhole } from '../files.ts'
import { at } from '../layout.ts'
import { diskPath, nulled, type RawPath } from '../raw.ts'
import type { Site } from '../site.ts'
import type { Checkout } from './checkouts.ts'
import { type Difference, differencesOf } from './differences.ts'
import { formsOf } from './forms.ts'
import { unseenIn } from './obstacles.ts'

// While git brings a checkout to another commit, that is on record beside the mirror. There is one move at a time in a
// repository; where the record is found by the next, git was ended in the middle, with half of the files written.
const recordSchema = z.object({ folder: z.string(), from: z.string(), to: z.string() })
type MoveRecord = z.infer<typeof recordSchema>

const recordOf = (mirror: HostPath): HostPath => at(mirror, 'cofferdam-moving.json')

/** @param folder the checkout that is brought from one commit to the other */
export async function beginMove(
  mirror: HostPath,
  folder: HostPath,
  from: CommitId,
  to: CommitId,
): Promise<void> {
  const record: MoveRecord = { folder, from, to }
  await writeWhole(recordOf(mirror), `${JSON.stringify(record)}\n`)
}

export function endMove(mirror: HostPath): void {
  drop(recordOf(mirror))
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
  const record = readJson(recordOf(mirror), recordSchema)
  // Another checkout has the branch by now, or it was somewhere else when that began.
  if (record === null || record.folder !== folder || record.from !== from) return false
  const differences = await differencesOf(site, { gitDir: mirror }, from, record.to as CommitId)
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
  // What has no change by its status is as it was, in whatever form its owner has it.
  const unlike = new Set(dirty)
  const changed = differences.filter(({ isNew, path }) => isNew || unlike.has(path))
  if (!(await areOurs(site, mirror, checkout, changed))) return false
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

/**
 * Whether each file is as it was or as it is to be. Git writes one after the other, so that of one alone there may be only a
 * beginning, or nothing: where more are like that, somebody has shortened or removed them.
 */
async function areOurs(
  site: Site,
  mirror: HostPath,
  checkout: Checkout,
  differences: readonly Difference[],
): Promise<boolean> {
  const forms = await formsOf(site, mirror, checkout, differences, mostBytes)
  const states = differences.map((difference, index) =>
    stateOf(difference, contentAt(checkout.folder, difference.path), forms[index] ?? []),
  )
  return !states.includes('other') && states.filter((state) => state === 'begun').length <= 1
}

/**
 * `begun`: git has taken away what was there, and written a part of what is to be, or nothing yet.
 * @param written the forms in which git writes what was there and what is to be
 */
function stateOf(
  { before, after, isGone }: Difference,
  content: Buffer | null,
  written: readonly Buffer[],
): 'whole' | 'begun' | 'other' {
  if (content === null) return isGone || before === null || after === null ? 'whole' : 'begun'
  if (written.some((whole) => whole.equals(content))) return 'whole'
  // Also taking it back may have been broken off.
  return written.some((whole) => whole.subarray(0, content.length).equals(content)) ? 'begun' : 'other'
}

/** What is at a path, of a symlink its target; null where there is nothing, or a folder. */
function contentAt(folder: HostPath, path: RawPath): Buffer | null {
  const place = diskPath(folder, path)
  const stats = lstatSync(place, { throwIfNoEntry: false })
  if (stats === undefined || stats.isDirectory()) return null
  if (stats.isSymbolicLink()) return readlinkSync(place, { encoding: 'buffer' })
  // Of anything that is no file nothing of ours.
  return stats.isFile() && stats.size <= mostBytes ? readPlain(place, mostBytes) : Buffer.from('\0 no file')
}
