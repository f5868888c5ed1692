import { join } from 'node:path'
import { mirrorsBack } from '../../src/domain/backup.ts'
import type { CommitId, HostPath } from '../../src/domain/brand.ts'
import { Failure, messageOf } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { counted, fewOf } from '../../src/domain/text.ts'
import type { Head } from '../store/heads.ts'
import { mirrors } from './contents.ts'

/** Says which commits a mirror does not have; all where there is none. */
export type Missing = (mirror: HostPath, commits: readonly CommitId[]) => Promise<ReadonlySet<CommitId>>

/** The tasks whose work is not in the mirrors of a data folder, or of a copy of one. Rejects with `Failure('worktree' | 'disk')`. */
export async function lostTasks(
  folder: HostPath,
  heads: readonly Head[],
  missing: Missing,
): Promise<readonly TaskId[]> {
  // What came to nothing has its commit in the repository, and may have no mirror yet.
  const held = heads.filter(({ head, base }) => head !== base)
  const lost: TaskId[] = []
  for (const repository of new Set(held.map((each) => each.repository))) {
    const tasks = held.filter((each) => each.repository === repository)
    const commits = tasks.flatMap(({ head, base }) => [head, base])
    const gone = await missing(join(folder, mirrors, `${repository}.git`) as HostPath, commits)
    lost.push(...tasks.filter(({ head, base }) => gone.has(head) || gone.has(base)).map(({ task }) => task))
  }
  return lost
}

/**
 * Looks whether a copy has what tasks came to: as it is copied, a mirror may be gone, or may have been made anew without it.
 * @returns a sentence; null where nothing is missing
 */
export async function lostIn(
  {
    copy,
    place,
    from,
    again,
  }: {
    readonly copy: HostPath
    /** Where it will be. */
    readonly place: HostPath
    /** What it was copied from. */
    readonly from: string
    /** What is done again where it could not be looked at. */
    readonly again: 'back up' | 'restore'
  },
  heads: readonly Head[],
  missing: Missing,
): Promise<string | null> {
  let lost: readonly TaskId[]
  try {
    lost = await lostTasks(copy, heads, missing)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return `${place} is made, but whether the commits of all tasks are in it is not known (${messageOf(error)}): mend that, then ${again} again.`
  }
  if (lost.length === 0) return null
  return (
    `${place} is made, but the commits of ${counted(lost.length, 'task')} (${fewOf(lost)}) are not in it, as ` +
    `they are gone from ${join(from, mirrors)}: ${mirrorsBack}, or discard ${lost.length === 1 ? 'the task' : 'these tasks'}.`
  )
}
