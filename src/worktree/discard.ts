import { readdir, rm } from 'node:fs/promises'
import type { HostPath } from '../domain/brand.ts'
import { isPassing, parseTaskId, type TaskId } from '../domain/ids.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { drop, exists, isErrno } from './files.ts'
import { at, foldersOf, kinds, layoutOf, mirrorsOf } from './layout.ts'
import type { Site } from './site.ts'
import { removeFolder, removeMeanwhile, throwAway, trashOf } from './throw-away.ts'

/** Removes the folders of a task; what is in commits stays in the mirror. */
export async function putAwayTask(site: Site, task: TaskPlace): Promise<void> {
  const layout = layoutOf(site.data, task)
  site.memories.delete(task.id)
  // Without its state a worktree counts as half made: whoever comes after a kill in the middle of this does it again.
  drop(layout.stateFile)
  for (const folder of foldersOf(site.data, task.id)) throwAway(site.data, folder)
  await removeFolder(layout.gitDir)
}

/** Removes all that a task has but its branch in the source. */
export async function discardTask(site: Site, task: TaskPlace): Promise<void> {
  const layout = layoutOf(site.data, task)
  await putAwayTask(site, task)
  if (!exists(layout.mirror)) return
  const refs = [
    'for-each-ref',
    '--format=delete %(refname)',
    `refs/cofferdam/${task.id}/`,
    `refs/heads/${task.branch}`,
  ]
  const input = await site.git.run({ gitDir: layout.mirror }, refs)
  await site.git.run({ gitDir: layout.mirror }, ['update-ref', '--stdin'], { input })
}

/**
 * Removes what killed processes left behind: what was discarded, and the worktree that a policy was to be explained on.
 * Nothing of any other task, known or not, for its work may be worth more than the space. What a discard was about to
 * take away goes with its commits; of a task whose place was only looked at, a commit of its own is kept.
 */
export async function sweepAll(site: Site, discarded: ReadonlySet<TaskId>): Promise<void> {
  const goes = (id: TaskId): boolean => discarded.has(id) || isPassing(id)
  for (const name of await namesIn(trashOf(site.data))) removeMeanwhile(at(trashOf(site.data), name))
  for (const name of await namesIn(mirrorsOf(site.data))) {
    const mirror = at(mirrorsOf(site.data), name)
    if (name.endsWith('.new')) await removeFolder(mirror)
    else {
      await sweepMirror(mirror)
      await forget(mirror, goes, discarded)
    }
  }
  for (const kind of kinds) {
    for (const name of await namesIn(at(site.data, kind))) {
      const id = parseTaskId(name.replace(/\.in$/, ''))
      if (id === null || (name === id && !goes(id))) continue
      if (name === id) site.memories.delete(id)
      throwAway(site.data, at(site.data, `${kind}/${name}`))
    }
  }
}

/** Tasks that have a folder. */
export async function laidOutIn(site: Site): Promise<readonly TaskId[]> {
  const names = await Promise.all(kinds.map((kind) => namesIn(at(site.data, kind))))
  const ids = names.flat().map(parseTaskId)
  return [...new Set(ids.filter((id) => id !== null))].filter((id) => !isPassing(id))
}

/** Locks and unfinished objects of git. */
async function sweepMirror(mirror: HostPath): Promise<void> {
  for (const folder of ['', 'refs', 'worktrees', 'objects']) {
    const recursive = folder !== ''
    const root = folder === '' ? mirror : at(mirror, folder)
    for (const entry of await entriesIn(root, recursive)) {
      const stale =
        entry.name.endsWith('.lock') || (folder === 'objects' && /^(?:tmp_|incoming-)/.test(entry.name))
      if (stale) await rm(`${entry.parentPath}/${entry.name}`, { recursive: true, force: true })
    }
  }
}

/** Takes away what the worktrees of tasks that go are in a mirror, with the refs of those that are discarded. */
async function forget(
  mirror: HostPath,
  goes: (id: TaskId) => boolean,
  discarded: ReadonlySet<TaskId>,
): Promise<void> {
  for (const folder of ['worktrees', 'refs/cofferdam']) {
    for (const name of await namesIn(at(mirror, folder))) {
      const id = parseTaskId(name)
      if (id === null || !goes(id)) continue
      const place = at(mirror, `${folder}/${name}`)
      const refs = folder === 'worktrees' ? [] : await namesIn(place)
      if (discarded.has(id) || refs.every((ref) => ref === 'base')) await removeFolder(place)
    }
  }
  const heads = at(mirror, 'refs/heads')
  for (const name of await namesIn(heads)) await dropBranch(at(heads, name), name, discarded)
  const ours = at(heads, 'cofferdam')
  for (const name of await namesIn(ours)) await dropBranch(at(ours, name), `cofferdam-${name}`, discarded)
}

async function dropBranch(place: HostPath, name: string, discarded: ReadonlySet<TaskId>): Promise<void> {
  const id = parseTaskId(name.replace(/^cofferdam-/, ''))
  if (id !== null && discarded.has(id)) await removeFolder(place)
}

async function namesIn(folder: HostPath): Promise<readonly string[]> {
  return (await entriesIn(folder, false)).map(({ name }) => name)
}

async function entriesIn(
  folder: HostPath,
  recursive: boolean,
): Promise<readonly { name: string; parentPath: string }[]> {
  try {
    return await readdir(folder, { withFileTypes: true, recursive })
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}
