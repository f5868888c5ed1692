import { lchownSync } from 'node:fs'
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { BoxSource, Sources } from '../domain/box.ts'
import type { HostPath, TreePath } from '../domain/brand.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { bringTestTree } from './checkout.ts'
import { pointerContent } from './examine.ts'
import { exists } from './files.ts'
import { treesOf } from './filtered.ts'
import { at, cacheOf, layoutOf } from './layout.ts'
import { openSetupTree } from './setup.ts'
import { isForeign, type Site } from './site.ts'
import { memoryOf } from './state.ts'
import { removeFolder, throwAway } from './throw-away.ts'
import { packFile, packFolder, unpackInto } from './tar.ts'

/** What an engine may have of a task. Not serialised: the caller does that. */
export function materialsOf(site: Site, task: TaskPlace): Sources {
  const locate = async (source: BoxSource): Promise<HostPath> => locateSource(site, task, source)
  return {
    locate,
    async pack(source) {
      const path = await locate(source)
      const file = source.kind === 'pointer' || source.kind === 'empty-file'
      if (file) return packFile(dirname(path) as HostPath, basename(path))
      return packFolder(path, source.kind === 'worktree' && source.path === '' ? ['.git'] : [])
    },
    async unpack(source, tar) {
      const path = writable(await pathOf(site, task, source), source)
      const half = `${path}.in` as HostPath
      await removeFolder(half)
      await mkdir(half, { recursive: true, mode: 0o755 })
      await unpackInto(half, tar, site.user)
      const layout = layoutOf(site.data, task)
      if (source.kind === 'worktree') await writeFile(`${half}/.git`, pointerContent(layout))
      if (isForeign(site)) lchownSync(half, site.user.uid, site.user.gid)
      await touched(site, task, source)
      throwAway(site.data, path)
      await rename(half, path)
    },
  }
}

async function locateSource(site: Site, task: TaskPlace, source: BoxSource): Promise<HostPath> {
  const layout = layoutOf(site.data, task)
  await touched(site, task, source)
  if (source.kind === 'tree') {
    const memory = await memoryOf(site, task)
    if (source.writes === 'keep') await openSetupTree(site, task, memory, source.commit)
    else await bringTestTree(site, layout, (await treesOf(site, task, memory, source.commit)).filtered)
  }
  if (source.kind === 'attempt') await mkdir(layout.attempts, { recursive: true, mode: 0o755 })
  if (source.kind === 'cache') await makeCache(site, cacheOf(site.data, task, source.name))
  if (source.kind === 'empty-file' || source.kind === 'empty-folder') await makeEmpty(site, source.kind)
  return pathOf(site, task, source)
}

/** A box is about to write there, or has: what we knew of it counts no more. */
async function touched(site: Site, task: TaskPlace, source: BoxSource): Promise<void> {
  if (source.kind !== 'worktree') return
  const memory = await memoryOf(site, task)
  memory.clean = null
  memory.examined = null
}

async function pathOf(site: Site, task: TaskPlace, source: BoxSource): Promise<HostPath> {
  const layout = layoutOf(site.data, task)
  switch (source.kind) {
    case 'worktree':
      return inside(layout.worktree, source.path)
    case 'tree':
      return source.writes === 'keep' ? layout.setupTree : layout.tree
    case 'setup':
      return inside(layout.kept, source.path)
    case 'git':
      return layout.boxGit
    case 'pointer':
      return layout.pointer
    case 'attempt':
      return layout.attempts
    case 'agent':
      return layout.agentFolder
    case 'cache':
      return cacheOf(site.data, task, source.name)
    case 'channel':
      throw new Error('a channel is no place on the disk: the engine makes one')
    case 'empty-file':
    case 'empty-folder':
      return at(site.data, source.kind)
  }
}

function inside(root: HostPath, path: TreePath): HostPath {
  if (path === '') return root
  const parts = path.split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..') || path.includes('\0'))
    throw new Error(`no path of a tree: ${JSON.stringify(path)}`)
  return at(root, path)
}

function writable(path: HostPath, source: BoxSource): HostPath {
  const kept =
    source.kind === 'git' || source.kind === 'agent' || ('writes' in source && source.writes === 'keep')
  if (kept || (source.kind === 'worktree' && source.path === '')) return path
  throw new Error(`nothing is handed back into ${source.kind}`)
}

/** A cache is the boxes' own: a setup box fills it, and what is in it is never read by the host. */
async function makeCache(site: Site, path: HostPath): Promise<void> {
  if (exists(path)) return
  await mkdir(path, { recursive: true, mode: 0o755 })
  if (isForeign(site)) lchownSync(path, site.user.uid, site.user.gid)
}

/** One file and one folder for all masks of all boxes; nobody can write in them. */
async function makeEmpty(site: Site, kind: 'empty-file' | 'empty-folder'): Promise<void> {
  const path = at(site.data, kind)
  if (exists(path)) return
  if (kind === 'empty-folder') await mkdir(path, { recursive: true })
  else await writeFile(path, '')
  // Whatever our umask is.
  await chmod(path, kind === 'empty-folder' ? 0o555 : 0o444)
}
