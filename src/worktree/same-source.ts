import { lstatSync } from 'node:fs'
import { Failure } from '../domain/failure.ts'
import { isByName } from '../domain/remote.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { mirrorOf } from './layout.ts'
import type { Memory } from './memory.ts'
import type { Site } from './site.ts'
import { sourceOf, sourcePlace, type Source } from './source.ts'

/**
 * Refuses another repository in the place of the task's own before a step is paid for. One that is not there now may be
 * back at the handover. Costs a git process where the folder is not the one that was looked at last.
 */
export async function refuseOtherNow(site: Site, task: TaskPlace, memory: Memory): Promise<void> {
  // Its mirror is found by its URL.
  if (isByName(task.repository.path)) return
  const source = await sourceOf(task, site.self).catch(() => null)
  if (source === null) return
  const folder = folderOf(source)
  if (memory.source === folder) return
  await refuseOther(site, task, source)
  memory.source = folder
}

/** Tells the folders of repositories apart, also where one takes the place of another. */
export function folderOf(source: Source): string {
  const { dev, ino } = lstatSync(source.commonDir)
  return `${dev}:${ino}`
}

/** Refuses a repository that has neither the task's base nor a beginning in common with it. */
export async function refuseOther(site: Site, task: TaskPlace, source: Source): Promise<void> {
  const { commit } = task.base
  if (await has(site, source, commit)) return
  // Where history was rewritten since, its old commits may be gone, but not where it began.
  const mirror = { gitDir: mirrorOf(site.data, task.repository.key) }
  const roots = await site.git.ask(mirror, ['rev-list', '--max-parents=0', commit, '--'])
  for (const root of roots.out.toString('utf8').split('\n').filter(Boolean).slice(0, mostRoots))
    if (await has(site, source, root)) return
  throw new Failure(
    'repository',
    `The repository at ${source.top} is not the one that this task was made from (it has no commit ${commit.slice(0, 10)}): ` +
      'put that one back there and resume the task, or discard the task.',
  )
}

const mostRoots = 10

/** What git cannot tell counts as there: the call that needs it says why. */
async function has(site: Site, source: Source, commit: string): Promise<boolean> {
  const args = ['cat-file', '-e', `${commit}^{commit}`]
  const { code, err } = await site.git.ask(sourcePlace(source), args, { as: source.owner })
  return code === 0 || !/[Nn]ot a valid object name/.test(err)
}
