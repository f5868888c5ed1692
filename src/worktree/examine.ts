import { lstatSync, readdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { TreePath } from '../domain/brand.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { settle } from './content.ts'
import { submoduleMode } from './entries.ts'
import { readPlain } from './files.ts'
import { foldersOf, ignoredOf, insideOf, strangersOf, type Strangers } from './ignored.ts'
import { readIndex } from './index-file.ts'
import { indexFile, layoutOf, type TaskLayout } from './layout.ts'
import type { Memory } from './memory.ts'
import { asFolder, diskPath, rawFrom, type RawPath } from './raw.ts'
import { removeAll } from './remove.ts'
import type { Changed, Examined, Found, Place } from './seen.ts'
import type { Site } from './site.ts'
import { lookAt, walk, walkLimits } from './walk.ts'

/** Sees all that differs from the commit of the worktree's index. Costs a git process where there are untracked files. */
export async function examine(
  site: Site,
  task: TaskPlace,
  memory: Memory,
  setupFolders: readonly TreePath[],
): Promise<Examined> {
  const layout = layoutOf(site.data, task)
  const root = layout.worktree
  const setup = setupFolders.map(rawFrom)
  const { submodules } = memory.base
  const { generation, tree } = memory.state
  const index = await readIndex(indexFile(layout, generation), tree.length / 2)
  const special = { closed: new Set(setup), submodules: new Set(submodules) }
  const disk = await walk(root, index, special, walkLimits(task.policy.limits.worktreeMb))
  const unreadable = [...disk.specials.filter(isIgnoreFile), ...disk.long].map(({ path }) => path)
  await removeAll(site.data, root, [...unreadable, ...disk.deep])
  const { changed, touched } = await settle(root, index, disk.dirty)
  // Git leaves the folder of a submodule alone, and so do we.
  const gone = disk.gone.filter(({ entry }) => index.mode(entry) !== submoduleMode)

  const own = disk.untracked.filter(({ path }) => !special.closed.has(path))
  const tracked = own.length === 0 ? new Set<string>() : foldersOf([...index.folders.keys()].map(asFolder))
  const pick = (wanted: (path: RawPath) => boolean): Strangers =>
    strangersOf(
      own.map(({ path }) => path).filter((path) => wanted(path)),
      tracked,
    )
  const repositories = [...new Set(disk.gits.map(({ path }) => dirname(path) as RawPath))]
  const buried = insideOf(new Set([...repositories, ...submodules]))
  const loose = pick((path) => !buried(path))
  const full = foldersOf(pick(buried).files)
  return {
    changed: [...changed, ...gone.map(({ path }): Changed => ({ path, mode: '000000', disguised: false }))],
    touched,
    untracked: own,
    loose: loose.files,
    ignored: await ignoredOf(site.git, { gitDir: layout.gitDir, workTree: root }, loose),
    nested: [...repositories, ...submodules.filter((path) => full.has(path))].map(asFolder),
    buried: pick(buried).top,
    setup: setup.flatMap((path) => leftAt(layout, path)),
    strangers: pick(() => true).top,
    disk,
    pointer: pointerAt(layout),
  }
}

/** Git opens these, and would wait at a fifo for ever, or read as much as a file pretends to hold. They are noted all the same. */
function isIgnoreFile({ path }: Place): boolean {
  return basename(path).toLowerCase() === '.gitignore'
}

/** What is in the place of something that setup left: nothing, where a box's mounts are gone. */
function leftAt(layout: TaskLayout, path: RawPath): readonly RawPath[] {
  const found = lookAt(layout.worktree, path)
  if (found === 'gone') return []
  if (found !== 'folder') return [path]
  return readdirSync(diskPath(layout.worktree, path)).length === 0 ? [] : [asFolder(path)]
}

/** Null where the root's `.git` file is as we made it. */
function pointerAt(layout: TaskLayout): Found | null {
  const path = rawFrom('.git')
  const found = lookAt(layout.worktree, path)
  if (found !== 'file') return found
  const place = diskPath(layout.worktree, path)
  const wanted = Buffer.from(pointerContent(layout))
  return lstatSync(place).size === wanted.length && readPlain(place).equals(wanted) ? null : found
}

/** What the `.git` file of a linked worktree says. */
export function pointerContent(layout: TaskLayout): string {
  return `gitdir: ${layout.gitDir}\n`
}
