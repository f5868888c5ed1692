import { lchownSync, lstatSync, readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { HostPath, TreeId } from '../domain/brand.ts'
import { changeMode, descent } from './anchor.ts'
import { drop, exists, readText, writeFleeting } from './files.ts'
import type { Setting, GitPlace } from './hardening.ts'
import type { TaskLayout } from './layout.ts'
import { pace } from './pace.ts'
import { diskPath, parts, rawJoin, type RawPath } from './raw.ts'
import { isForeign, type Site } from './site.ts'
import { throwAway } from './throw-away.ts'

// Two writers at once: measured to be several times faster on a disk that has just been written to.
const parallel: readonly Setting[] = [['checkout.workers', '2']]

/** Makes a work tree and its index hold exactly `tree`, where nothing untracked is in the way. */
export async function bringTo(site: Site, place: Required<GitPlace>, tree: TreeId): Promise<void> {
  // Nobody else works with this index: a lock is that of a git that was ended.
  drop(`${place.index}.lock`)
  await site.git.run(place, ['read-tree', '--reset', '-u', tree], { config: parallel })
}

/** Writes a tree into an empty folder, with an index of its own, and gives it to the boxes' user. */
export async function checkOutFresh(site: Site, place: Required<GitPlace>, tree: TreeId): Promise<void> {
  drop(place.index)
  await bringTo(site, place, tree)
  if (await giveAll(site, place.workTree)) await refresh(site, place)
}

/** Files that were given away have another time of change than their index says. */
export async function refresh(site: Site, place: GitPlace): Promise<void> {
  // It exits with 1 where something differs, which is no concern of ours.
  await site.git.ask(place, ['update-index', '-q', '--refresh'])
}

/** Gives everything under a folder that is not the boxes' user's to it; false where nothing was. */
export async function giveAll(site: Site, root: HostPath): Promise<boolean> {
  return isForeign(site) && (await onAll(root, (place) => give(site, place)))
}

/**
 * The same where a box has had the folder: what git writes below one to which it gave a default ACL is everybody's to
 * write, whatever our umask is.
 */
export async function reclaim(site: Site, root: HostPath): Promise<boolean> {
  return onAll(root, (place) => {
    const given = give(site, place)
    return tighten(place) || given
  })
}

// Others have their turn after so many at the latest.
const mostAtOnce = 1000

/** Does something with a folder and all that is in it; answers whether any of that changed something. */
async function onAll(root: HostPath, act: (place: string | Buffer) => boolean): Promise<boolean> {
  const slices = pace()
  let changed = act(root)
  using way = descent(root)
  const folders = ['' as RawPath]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const path = folder
    const options = { withFileTypes: true, encoding: 'latin1' } as const
    const entries = way.in(path, (at) => readdirSync(at, options)) ?? []
    for (let from = 0; from < entries.length; from += mostAtOnce) {
      way.in(path, (at) => {
        for (const { name } of entries.slice(from, from + mostAtOnce))
          changed = act(diskPath(at, name as RawPath)) || changed
      })
      if (slices.due()) await slices.rest()
    }
    for (const entry of entries) if (entry.isDirectory()) folders.push(rawJoin(path, entry.name))
  }
  return changed
}

/** Takes everybody's right to write away but the owner's. */
function tighten(place: string | Buffer): boolean {
  const stats = lstatSync(place, { throwIfNoEntry: false })
  if (stats === undefined || stats.isSymbolicLink() || (stats.mode & 0o022) === 0) return false
  changeMode(place, ({ mode }) => mode & 0o755)
  return true
}

/** Gives paths and the folders above them, as far as they exist. */
async function givePaths(site: Site, root: HostPath, paths: readonly RawPath[]): Promise<void> {
  const slices = pace()
  const done = new Set<string>()
  for (const path of paths) {
    for (let at: string = path; at !== '.' && !done.has(at); at = dirname(at)) {
      done.add(at)
      give(site, diskPath(root, at as RawPath))
    }
    if (slices.due()) await slices.rest()
  }
}

function give(site: Site, place: string | Buffer): boolean {
  const stats = lstatSync(place, { throwIfNoEntry: false })
  if (stats === undefined || (stats.uid === site.user.uid && stats.gid === site.user.gid)) return false
  lchownSync(place, site.user.uid, site.user.gid)
  return true
}

/**
 * The checkout for test boxes at `tree`: kept from test to test, only what differs is written. No box writes there, so
 * what it holds is known; after a kill in the middle it is made anew.
 */
export async function bringTestTree(site: Site, layout: TaskLayout, tree: TreeId): Promise<void> {
  const before = readText(layout.treeAt)
  if (before === tree && exists(layout.tree)) return
  const place = { gitDir: layout.gitDir, workTree: layout.tree, index: layout.treeIndex }
  const known = before !== null && exists(layout.tree) && exists(layout.treeIndex)
  drop(layout.treeAt)
  if (known) {
    await bringTo(site, place, tree)
    if (isForeign(site)) {
      const args = ['diff-tree', '-r', '--no-renames', '--name-only', '-z', before, tree]
      await givePaths(site, layout.tree, parts(await site.git.run({ gitDir: layout.gitDir }, args)))
      await refresh(site, place)
    }
  } else {
    throwAway(site.data, layout.tree)
    await mkdir(layout.tree, { recursive: true, mode: 0o755 })
    await checkOutFresh(site, place, tree)
  }
  writeFleeting(layout.treeAt, tree)
}

/** The files that make a folder a linked worktree of the mirror, written by hand so that a kill leaves nothing locked. */
export async function link(layout: TaskLayout, commit: string, pointer: string): Promise<void> {
  await mkdir(layout.gitDir, { recursive: true })
  await writeFile(`${layout.gitDir}/commondir`, '../..\n')
  await writeFile(`${layout.gitDir}/gitdir`, `${layout.worktree}/.git\n`)
  await writeFile(`${layout.gitDir}/HEAD`, `${commit}\n`)
  await writeFile(`${layout.worktree}/.git`, pointer)
}
