import {
  closeSync,
  constants,
  fchownSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs'
import type { Stats } from 'node:fs'
import { join } from 'node:path'
import type { BoxSpec } from '../../domain/box.ts'
import type { TreePath } from '../../domain/brand.ts'
import { Failure, systemCodeOf } from '../../domain/failure.ts'
import { fromWork } from '../places.ts'
import { ancestors } from '../tree.ts'
import { hasJournal, readJournal, readOthers, writeIds, writeJournal, type Entry } from './journal.ts'

/**
 * Makes what the mounts of a box need in the worktree and is not there, parents too, with the box's uid: the engine would
 * make it as root and leave it. Noted in `folder` before it is made, so that it is found after a crash. What was made for
 * an earlier box that is not removed yet is noted as well: a mask is gone from a box when its place on the host is removed.
 */
export async function makePlaceholders(spec: BoxSpec, worktree: string, folder: string): Promise<void> {
  const shared = await sharedOf(spec, worktree, folder)
  const entries = [...shared, ...missingOf(spec, worktree)]
  if (entries.length === 0) return
  await writeJournal(folder, { worktree, entries })
  const writable = new Set(
    spec.mounts.filter((mount) => !mount.readonly).map(({ target }) => fromWork(target)),
  )
  let mask: string | null = null
  const ids = shared.map(({ id }) => id)
  for (const entry of entries.slice(shared.length)) {
    const path = join(worktree, entry.path)
    try {
      if (entry.type === 'folder') makeFolder(path, spec.user)
      else if (writable.has(entry.path)) makeFile(path, 0o644, spec.user)
      else mask = makeMask(path, mask, spec.user)
    } catch (cause) {
      throw new Failure('worktree', `A mask at ${path} could not be prepared: look at what is there.`, {
        cause,
      })
    }
    ids.push(idOf(lstatSync(path)))
  }
  await writeIds(folder, ids)
}

/** Removes what was made, where it is as it was made. Fine when nothing was, or when some of it is gone. */
export async function removePlaceholders(folder: string): Promise<void> {
  const journal = await readJournal(folder)
  if (journal === null) return
  const { worktree, entries, ids } = journal
  const others = await readOthers(folder, worktree)
  const needed = new Set(others.flatMap((other) => other.entries.map(({ path }) => path)))
  // From here on nothing waits: what stands there by now may be the next box's, if another has tidied up meanwhile.
  if (!hasJournal(folder)) return
  for (const [index, entry] of [...entries.entries()].toReversed())
    if (!needed.has(entry.path)) removeOne(worktree, entry, ids[index])
}

/** What the mounts of a box need, is there, and was made for another box; parents first. */
async function sharedOf(
  spec: BoxSpec,
  worktree: string,
  folder: string,
): Promise<readonly (Entry & { readonly id: string })[]> {
  // Whoever computed the box has found them in the worktree, and so took them for the repository's own.
  const wanted = new Set(
    spec.mounts.flatMap(({ target }) => {
      const path = fromWork(target)
      return path === null ? [] : [...ancestors(path), path]
    }),
  )
  const found = new Map<TreePath, Entry & { id: string }>()
  for (const { entries, ids } of await readOthers(folder, worktree)) {
    for (const [index, { path, type }] of entries.entries()) {
      const id = ids[index]
      const stat = lstatSync(join(worktree, path), { throwIfNoEntry: false })
      if (wanted.has(path) && id !== undefined && stat !== undefined && idOf(stat) === id)
        found.set(path, { path, type, id })
    }
  }
  return [...found.values()].sort((one, other) => one.path.length - other.path.length)
}

function missingOf(spec: BoxSpec, worktree: string): Entry[] {
  const missing = new Map<TreePath, Entry>()
  for (const { target, placeholder } of spec.mounts) {
    const path = fromWork(target)
    if (placeholder === undefined || path === null) continue
    for (const part of [...ancestors(path), path]) {
      if (missing.has(part)) continue
      const stat = lstatSync(join(worktree, part), { throwIfNoEntry: false })
      // Of what is there, the check right before start says whether it will do.
      if (stat === undefined) missing.set(part, { path: part, type: part === path ? placeholder : 'folder' })
      else if (!stat.isDirectory()) break
    }
  }
  return [...missing.values()]
}

const asRoot = process.getuid?.() === 0

function makeFolder(path: string, user: BoxSpec['user']): void {
  mkdirSync(path, 0o755)
  if (asRoot) lchownSync(path, user.uid, user.gid)
}

function makeFile(path: string, mode: number, user: BoxSpec['user']): void {
  const file = openSync(
    path,
    constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW,
    mode,
  )
  try {
    if (asRoot) fchownSync(file, user.uid, user.gid)
  } finally {
    closeSync(file)
  }
}

/** All masks of a box are links to its first: a new file each costs half a millisecond on some disks. */
function makeMask(path: string, first: string | null, user: BoxSpec['user']): string {
  if (first !== null) {
    try {
      linkSync(first, path)
      return first
    } catch (error) {
      // Not every file system has links, or so many.
      if (systemCodeOf(error) === 'EEXIST') throw error
    }
  }
  makeFile(path, 0o444, user)
  return path
}

function removeOne(worktree: string, { path, type }: Entry, id: string | undefined): void {
  try {
    // Not through a symlink that the box put in place of a parent.
    if (ancestors(path).some((folder) => !lstatSync(join(worktree, folder)).isDirectory())) return
    const place = join(worktree, path)
    const stat = lstatSync(place)
    if (id !== undefined && idOf(stat) !== id) return
    if (type === 'folder') rmdirSync(place)
    else if (stat.isFile() && stat.size === 0) unlinkSync(place)
  } catch (error) {
    // Gone, or used by the agent: then it is the agent's, and the verifier's to judge.
    if (!['ENOENT', 'ENOTEMPTY', 'ENOTDIR'].includes(systemCodeOf(error))) throw error
  }
}

function idOf(stat: Stats): string {
  return `${stat.dev}:${stat.ino}`
}
