import { readdir, rm } from 'node:fs/promises'
import type { HostPath } from '../domain/brand.ts'
import { parseTaskId, type TaskId } from '../domain/ids.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { exists, isErrno, removeFolder, removeMeanwhile, throwAway, trashOf } from './files.ts'
import { at, foldersOf, layoutOf, mirrorsOf } from './layout.ts'
import type { Site } from './site.ts'

/** Removes all that a task has but its branch in the source. */
export async function discardTask(site: Site, task: TaskPlace): Promise<void> {
  const layout = layoutOf(site.data, task)
  site.memories.delete(task.id)
  // Without its state a worktree counts as half made: a sweep ends what a kill interrupts here.
  await rm(layout.stateFile, { force: true })
  for (const folder of foldersOf(site.data, task.id)) await throwAway(site.data, folder)
  if (!(await exists(layout.mirror))) return
  await removeFolder(layout.gitDir)
  const refs = [
    'for-each-ref',
    '--format=delete %(refname)',
    `refs/cofferdam/${task.id}/`,
    `refs/heads/${task.branch}`,
  ]
  const input = await site.git.run({ gitDir: layout.mirror }, refs)
  await site.git.run({ gitDir: layout.mirror }, ['update-ref', '--stdin'], { input })
}

/** Removes what killed processes left behind. Nothing of a task in `keep`: its locks go when it is looked at again. */
export async function sweepAll(site: Site, keep: ReadonlySet<TaskId>): Promise<void> {
  for (const name of await namesIn(trashOf(site.data))) removeMeanwhile(at(trashOf(site.data), name))
  for (const name of await namesIn(mirrorsOf(site.data))) {
    const mirror = at(mirrorsOf(site.data), name)
    if (name.endsWith('.new')) await removeFolder(mirror)
    else await sweepMirror(mirror)
  }
  for (const kind of ['private', 'tasks', 'trees', 'setups', 'attempts']) {
    for (const name of await namesIn(at(site.data, kind))) {
      const id = parseTaskId(name.replace(/\.in$/, ''))
      if (id === null || (name === id && keep.has(id))) continue
      const complete = await exists(at(site.data, `private/${id}/state.json`))
      const leftover = name !== id || !complete
      if (leftover) await throwAway(site.data, at(site.data, `${kind}/${name}`))
    }
  }
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
