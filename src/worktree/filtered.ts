import { mkdirSync } from 'node:fs'
import { z } from 'zod'
import type { CommitId, TreeId } from '../domain/brand.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { deniedEntries } from './denied.ts'
import { parseEntries } from './entries.ts'
import { copyIndex, drop, readJson, writeFleeting } from './files.ts'
import { durable, type GitPlace } from './hardening.ts'
import { putIn } from './index-update.ts'
import { at, layoutOf } from './layout.ts'
import type { Memory } from './memory.ts'
import { nulled } from './raw.ts'
import type { Site } from './site.ts'
import { treeOf } from './tree-of.ts'

/** The tree of a commit of the task, whole and without denied paths. */
export interface Trees {
  readonly tree: TreeId
  readonly filtered: TreeId
}

const schema = z.object({
  tree: z.string().transform((text) => text as TreeId),
  filtered: z.string().transform((text) => text as TreeId),
})

/** Computed once per commit. What a merge has brought in from elsewhere is looked through as the base was. */
export async function treesOf(site: Site, task: TaskPlace, memory: Memory, commit: CommitId): Promise<Trees> {
  if (memory.state.at === commit) return memory.state
  const layout = layoutOf(site.data, task)
  const known = readJson(at(layout.filtered, commit), schema)
  if (known !== null) return known
  const tree = await treeOf(site, layout, commit)
  const trees = { tree, filtered: await without(site, task, memory, tree) }
  rememberTrees(site, task, commit, trees)
  return trees
}

export function rememberTrees(site: Site, task: TaskPlace, commit: CommitId, trees: Trees): void {
  const { filtered } = layoutOf(site.data, task)
  mkdirSync(filtered, { recursive: true, mode: 0o700 })
  writeFleeting(at(filtered, commit), JSON.stringify({ tree: trees.tree, filtered: trees.filtered }))
}

async function without(site: Site, task: TaskPlace, memory: Memory, tree: TreeId): Promise<TreeId> {
  const gitDir = layoutOf(site.data, task).mirror
  const entries = parseEntries(await site.git.run({ gitDir }, ['ls-tree', '-r', '-z', tree]))
  const denied = await deniedEntries(site, entries, task.policy)
  const paths = new Set([...memory.base.hidden, ...denied].map(({ path }) => path))
  if (paths.size === 0) return tree
  return withIndex(site, task, async (place) => {
    await site.git.run(place, ['read-tree', tree])
    await site.git.run(place, ['update-index', '--force-remove', '-z', '--stdin'], {
      input: nulled([...paths]),
    })
  })
}

/** The tree that an index of the worktree stands for, with the base's denied entries put back. */
export async function withHidden(
  site: Site,
  task: TaskPlace,
  memory: Memory,
  from: GitPlace,
  filtered: TreeId,
): Promise<TreeId> {
  const { hidden } = memory.base
  if (hidden.length === 0) return filtered
  return withIndex(site, task, async (place) => {
    if (from.index !== undefined && place.index !== undefined) await copyIndex(from.index, place.index)
    // A folder that the agent made in place of a denied file gives way, and the other way round.
    await putIn(site, place, hidden)
  })
}

/** Fills a throwaway index and writes its tree. */
async function withIndex(
  site: Site,
  task: TaskPlace,
  fill: (place: GitPlace) => Promise<void>,
): Promise<TreeId> {
  const layout = layoutOf(site.data, task)
  const index = at(layout.privateFolder, 'index-scratch')
  drop(index)
  drop(`${index}.lock`)
  const place = { gitDir: layout.gitDir, workTree: layout.worktree, index }
  await fill(place)
  const tree = await site.git.line(place, ['write-tree'], { config: durable })
  drop(index)
  return tree as TreeId
}
