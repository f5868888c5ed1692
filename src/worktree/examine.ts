import { lstatSync, lutimesSync, type Stats } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TreePath } from '../domain/brand.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { layoutOf, worktreePlace, type TaskLayout } from './layout.ts'
import type { Memory } from './memory.ts'
import { diskPath, rawFrom, rawOf, within, type RawPath } from './raw.ts'
import type { Examined, Found, Place } from './seen.ts'
import type { Site } from './site.ts'
import { parseStatus, type StatusFound } from './status.ts'
import { listBelow, lookAt, walk, walkLimits } from './walk.ts'

const statusArgs = [
  'status',
  '--porcelain=v2',
  '-z',
  '--no-renames',
  '--ignore-submodules=all',
  '--untracked-files=all',
  '--ignored=matching',
]

/** Sees all that differs from the commit that the worktree was sealed at. One git process, and a walk beside it. */
export async function examine(
  site: Site,
  task: TaskPlace,
  memory: Memory,
  setupFolders: readonly TreePath[],
): Promise<Examined> {
  const layout = layoutOf(site.data, task)
  const setup = setupFolders.map(rawFrom)
  const stop = new AbortController()
  const early = status(site, layout, memory, stop.signal).catch((error: unknown) => new Unseen(error))
  const walking = walk(layout.worktree, {
    sealedMs: memory.state.sealedMs,
    closed: new Set([...memory.base.submodules, ...setup]),
    bound: site.self !== 0,
    limits: walkLimits,
  })
  const disk = await walking.catch(async (error: unknown) => {
    stop.abort()
    await early
    throw error
  })
  let found = await early
  // Git fails or sees too little where folders could not be read.
  if (disk.repaired) found = await status(site, layout, memory, stop.signal)
  if (found instanceof Unseen) throw found.error
  const doubtful = unexplained(disk.young, found)
  if (doubtful.length > 0) {
    await touch(layout, memory.state.sealedMs, doubtful)
    found = await status(site, layout, memory, stop.signal)
  }
  return complete(layout, memory, setup, found, disk)
}

class Unseen {
  readonly error: unknown
  constructor(error: unknown) {
    this.error = error
  }
}

async function status(
  site: Site,
  layout: TaskLayout,
  memory: Memory,
  signal: AbortSignal,
): Promise<StatusFound> {
  return parseStatus(
    await site.git.run(worktreePlace(layout, memory.state.generation), statusArgs, { signal }),
  )
}

/** Young files that git did not name: unchanged ones, or changed ones made to look so. */
export function unexplained(young: readonly RawPath[], found: StatusFound): readonly RawPath[] {
  if (young.length === 0) return []
  const named = new Set([...found.changed.map(({ path }) => path), ...found.untracked, ...found.ignored])
  return young.filter((path) => {
    if (named.has(path)) return false
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1))
      if (named.has(path.slice(0, slash + 1) as RawPath)) return false
    return true
  })
}

/** Gives files another time of change than any index entry has, so that git reads their content. */
async function touch(layout: TaskLayout, sealedMs: number, paths: readonly RawPath[]): Promise<void> {
  const place = (path: RawPath): string | Buffer => diskPath(layout.worktree, path)
  const again = (path: RawPath): Stats => {
    const { atime, mtime } = lstatSync(place(path))
    lutimesSync(place(path), atime, mtime)
    return lstatSync(place(path))
  }
  const second = Math.floor(sealedMs / 1000)
  for (const path of paths) while (Math.floor(again(path).ctimeMs / 1000) <= second) await sleep(50)
}

async function complete(
  layout: TaskLayout,
  memory: Memory,
  setup: readonly RawPath[],
  found: StatusFound,
  disk: Examined['disk'],
): Promise<Examined> {
  const outside = (path: RawPath): boolean => !setup.some((folder) => within(folder, bare(path)))
  const untracked = found.untracked.filter(outside)
  const ignored = found.ignored.filter(outside)
  const nested = untracked.filter(isFolder)
  const inside: Place[] = []
  for (const path of [...ignored.filter(isFolder), ...nested])
    inside.push(...(await listBelow(layout.worktree, bare(path))))
  for (const path of memory.base.submodules) {
    if (lookAt(layout.worktree, path) !== 'folder') continue
    const [, ...below] = await listBelow(layout.worktree, path)
    if (below.length > 0) nested.push(`${path}/` as RawPath)
    inside.push(...below)
  }
  return {
    changed: found.changed,
    setup: [...found.untracked, ...found.ignored].filter((path) => !outside(path)),
    untracked: untracked.filter((path) => !isFolder(path)),
    ignored,
    nested,
    inside,
    disk,
    pointer: await pointerAt(layout),
  }
}

/** Null where the root's `.git` file is as we made it. */
async function pointerAt(layout: TaskLayout): Promise<Found | null> {
  const path = rawOf(Buffer.from('.git'))
  const found = lookAt(layout.worktree, path)
  if (found !== 'file') return found
  const content = await readFile(diskPath(layout.worktree, path))
  return content.equals(Buffer.from(pointerContent(layout))) ? null : found
}

/** What the `.git` file of a linked worktree says. */
export function pointerContent(layout: TaskLayout): string {
  return `gitdir: ${layout.gitDir}\n`
}

/** Whether a path of git's output stands for a whole folder. */
export function isFolder(path: RawPath): boolean {
  return path.endsWith('/')
}

/** Such a path without its last slash. */
export function bare(path: RawPath): RawPath {
  return (isFolder(path) ? path.slice(0, -1) : path) as RawPath
}
