import { chmod, mkdir, writeFile } from 'node:fs/promises'
import type { HostPath, TreeId } from '../domain/brand.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { resetBoxGit } from './box-git.ts'
import { checkOutFresh, link } from './checkout.ts'
import { deniedEntries } from './denied.ts'
import { parseEntries, submoduleMode } from './entries.ts'
import { pointerContent } from './examine.ts'
import { at as inFolder, indexFile, layoutOf, type TaskLayout, worktreePlace } from './layout.ts'
import type { Base, Memory } from './memory.ts'
import { ensureMirror } from './mirror.ts'
import { nulled } from './raw.ts'
import { refuseOtherNow } from './same-source.ts'
import type { Site } from './site.ts'
import { treeOf } from './tree-of.ts'
import { removeFolder, throwAway } from './throw-away.ts'
import { hidingOf, recall, settleAt, writeBase } from './state.ts'

/** Mirror, worktree and private repository of a task; costs nothing where they are there. */
export async function layOutTask(site: Site, task: TaskPlace): Promise<void> {
  const source = await ensureMirror(site, task)
  const known = await recall(site, task)
  if (known !== null) {
    await refuseOtherNow(site, task, known)
    return
  }
  // Half made, or made for another policy. What is worth keeping is in commits.
  site.memories.delete(task.id)
  const layout = layoutOf(site.data, task)
  for (const folder of ours(layout)) throwAway(site.data, folder)
  const memory = await layOutAnew(site, task, source).catch(async (error: unknown) => {
    // Nobody has worked in it yet, and on a full disk it is what fills it. Why it came to nothing is what counts.
    for (const folder of ours(layout)) await removeFolder(folder).catch(() => undefined)
    throw error
  })
  site.memories.set(task.id, memory)
  await refuseOtherNow(site, task, memory)
}

/** Folders of a task that are written as its worktree is laid out. */
function ours({ privateFolder, worktree, tree }: TaskLayout): readonly HostPath[] {
  return [privateFolder, worktree, tree]
}

/** Writes all of it, where nothing is. */
async function layOutAnew(site: Site, task: TaskPlace, source: Memory['source']): Promise<Memory> {
  const layout = layoutOf(site.data, task)
  await mkdir(layout.privateFolder, { recursive: true, mode: 0o700 })
  await mkdir(layout.worktree, { recursive: true, mode: 0o755 })
  await link(layout, task.base.commit, pointerContent(layout))
  await writeFile(layout.pointer, `gitdir: ${site.pointerTarget}\n`)
  await chmod(layout.pointer, 0o444)
  const { base, tree, filtered } = await readBase(site, task)
  await writeBase(layout.baseFile, base)
  const place = { gitDir: layout.gitDir, workTree: layout.worktree, index: indexFile(layout, 1) }
  await checkOutFresh(site, place, filtered)
  const at = task.base.commit
  const state = { at, tree, filtered, generation: 1 }
  const memory: Memory = {
    base,
    state,
    source,
    clean: { extras: [] },
    examined: null,
    grown: null,
    setupKeys: new Map(),
  }
  await resetBoxGit(site, task, memory, filtered)
  // Written last: without it, all of this is done again.
  settleAt(site, task, state)
  return memory
}

/** Which paths of the base the policy hides, and its tree without them. */
async function readBase(
  site: Site,
  task: TaskPlace,
): Promise<{ base: Base; tree: TreeId; filtered: TreeId }> {
  const layout = layoutOf(site.data, task)
  const place = { ...worktreePlace(layout, 0), index: inFolder(layout.privateFolder, 'index-scratch') }
  const commit = task.base.commit
  const tree = await treeOf(site, layout, commit)
  const entries = parseEntries(await site.git.run(place, ['ls-tree', '-r', '-z', tree]))
  const hidden = [...(await deniedEntries(site, entries, task.policy))]
  const submodules = entries.filter(({ mode }) => mode === submoduleMode).map(({ path }) => path)
  const base = { commit, policy: hidingOf(task.policy), hidden, submodules }
  if (hidden.length === 0) return { base, tree, filtered: tree }
  await site.git.run(place, ['read-tree', tree])
  const input = nulled(hidden.map(({ path }) => path))
  await site.git.run(place, ['update-index', '--force-remove', '-z', '--stdin'], { input })
  return { base, tree, filtered: (await site.git.line(place, ['write-tree'])) as TreeId }
}
