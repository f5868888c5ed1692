import { lchownSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import type { CommitId, TreePath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { resetBoxGit } from './box-git.ts'
import { bringTo, checkOutFresh, link, reclaim, refresh } from './checkout.ts'
import { cleanse } from './cleanse.ts'
import { examine, pointerContent } from './examine.ts'
import { copyIndex, exists } from './files.ts'
import { treesOf, type Trees } from './filtered.ts'
import { topmost } from './ignored.ts'
import { indexFile, layoutOf, worktreePlace, type TaskLayout } from './layout.ts'
import { takeIn, takeOut } from './index-update.ts'
import type { Memory } from './memory.ts'
import { rawFrom, type RawPath } from './raw.ts'
import { removeAll } from './remove.ts'
import { isForeign, type Site } from './site.ts'
import { lost, type Examined } from './seen.ts'
import { dropIndex, settleAt } from './state.ts'
import { throwAway } from './throw-away.ts'

/** How tracked files differ from their index. */
interface Damage {
  readonly changed: boolean
  /** Files whose times alone are others. */
  readonly touched: readonly RawPath[]
}

const unharmed: Damage = { changed: false, touched: [] }

/** Makes the worktree and the private repository what `commit` holds. No git process where that is known already. */
export async function restoreTo(
  site: Site,
  task: TaskPlace,
  memory: Memory,
  commit: CommitId,
  setupFolders: readonly TreePath[],
): Promise<void> {
  const layout = layoutOf(site.data, task)
  const trees = await treesOf(site, task, memory, commit)
  const damage = await clearAway(site, task, memory, setupFolders)
  memory.examined = null
  memory.clean = null
  const { generation, filtered } = memory.state
  const moved = filtered !== trees.filtered || damage === null || damage.changed
  if (moved || damage.touched.length > 0) {
    const next = worktreePlace(layout, generation + 1)
    if (damage === null) {
      await rebuild(site, layout, commit)
      await checkOutFresh(site, next, trees.filtered)
    } else {
      await copyIndex(indexFile(layout, generation), next.index)
      await takeOut(site, next, damage.touched)
      await takeIn(site, next, damage.touched)
      if (moved) await bringTo(site, next, trees.filtered)
      if (await reclaim(site, layout.worktree)) await refresh(site, next)
    }
    memory.state = settleAt(site, task, { at: commit, ...pick(trees), generation: generation + 1 })
    dropIndex(layout, generation)
  } else if (memory.state.at !== commit) {
    memory.state = settleAt(site, task, { at: commit, ...pick(trees), generation })
  }
  await keepSubmoduleFolders(site, layout, memory)
  await resetBoxGit(site, task, memory, trees.filtered)
  memory.clean = { extras: [] }
}

function pick({ tree, filtered }: Trees): Trees {
  return { tree, filtered }
}

/** Removes all that no commit holds; null where there is too much to be looked through. */
async function clearAway(
  site: Site,
  task: TaskPlace,
  memory: Memory,
  setupFolders: readonly TreePath[],
): Promise<Damage | null> {
  const { worktree } = layoutOf(site.data, task)
  if (memory.clean !== null) {
    await removeAll(site.data, worktree, memory.clean.extras)
    return unharmed
  }
  try {
    const seen = memory.examined ?? (await examine(site, task, memory, setupFolders))
    await cleanse(site.data, worktree, seen.disk)
    await removeAll(site.data, worktree, strangers(seen))
    if (seen.pointer !== null) await writePointer(site, task)
    // Git leaves alone what it takes for unchanged, so it shall not find it.
    await removeAll(
      site.data,
      worktree,
      seen.changed.filter(({ disguised }) => disguised).map(({ path }) => path),
    )
    return { changed: seen.changed.length > 0 || lost(seen), touched: seen.touched }
  } catch (error) {
    if (error instanceof Failure && error.code === 'worktree') return null
    throw error
  }
}

function strangers(seen: Examined): ReturnType<typeof topmost> {
  const gits = seen.disk.gits.map(({ path }) => path)
  return [...seen.strangers, ...seen.setup, ...gits, ...topmost(seen.disk.hollow)]
}

async function writePointer(site: Site, task: TaskPlace): Promise<void> {
  const layout = layoutOf(site.data, task)
  await removeAll(site.data, layout.worktree, [rawFrom('.git')])
  const path = `${layout.worktree}/.git`
  await writeFile(path, pointerContent(layout))
  await chmod(path, 0o644)
  if (isForeign(site)) lchownSync(path, site.user.uid, site.user.gid)
}

async function rebuild(site: Site, layout: TaskLayout, commit: CommitId): Promise<void> {
  throwAway(site.data, layout.worktree)
  await mkdir(layout.worktree, { recursive: true, mode: 0o755 })
  if (isForeign(site)) lchownSync(layout.worktree, site.user.uid, site.user.gid)
  await link(layout, commit, pointerContent(layout))
}

/** Git leaves the folder of a submodule alone once it is there; without it, it would count as removed in the box. */
async function keepSubmoduleFolders(site: Site, layout: TaskLayout, memory: Memory): Promise<void> {
  for (const path of memory.base.submodules) {
    const place = `${layout.worktree}/${Buffer.from(path, 'latin1').toString()}`
    if (exists(place)) continue
    const made = await mkdir(place, { recursive: true })
    if (made !== undefined) await reclaim(site, layout.worktree)
  }
}
