import type { Millis } from '../brand.ts'
import { isByName } from '../remote.ts'
import type { Status, Task } from '../task.ts'
import type { Snippet } from './snippet.ts'

/** What is looked for. Every field that is given narrows it. */
export interface SearchRequest {
  /** As a person types it: see `parseQuery`. */
  readonly text: string
  /** An absolute path, of the repository or of anything in it; or the name of one that has a URL. */
  readonly repository?: string
  readonly statuses?: readonly Status[]
  /** Made at this time or later, and before that one. */
  readonly since?: Millis
  readonly until?: Millis
  /** At most so many hits. */
  readonly limit?: number
}

/** The most hits of one search, and how many without a word about it. */
export const searchLimits = { most: 100, usual: 20 } as const

/** What a list of hits shows of a task. */
export type FoundTask = Pick<
  Task,
  | 'id'
  | 'kind'
  | 'status'
  | 'outcome'
  | 'phase'
  | 'delivery'
  | 'merge'
  | 'pull'
  | 'goal'
  | 'repository'
  | 'branch'
  | 'createdAt'
  | 'updatedAt'
>

export interface SearchHit {
  readonly task: FoundTask
  /** Where the words are, at most three; none where they are known to the index alone. */
  readonly snippets: readonly Snippet[]
}

export interface SearchAnswer {
  /** The best first, of those that are as good the newest. */
  readonly hits: readonly SearchHit[]
  /** Whether there are more than `limit`. */
  readonly more: boolean
  /** Tasks that are not found yet, or as they were before: more than none only while an index is made. */
  readonly behind: number
}

/** Whether a task is one of those that are looked for, whatever its words. */
export function isMeant(task: Task, { repository, statuses, since, until }: SearchRequest): boolean {
  return (
    (statuses === undefined || statuses.includes(task.status)) &&
    (since === undefined || task.createdAt >= since) &&
    (until === undefined || task.createdAt < until) &&
    (repository === undefined || placesAbove(repository).includes(task.repository.path))
  )
}

/** A path and the folders that it lies in; a name is itself. */
export function placesAbove(path: string): readonly string[] {
  if (isByName(path)) return [path]
  const names = path.split('/').filter(Boolean)
  return names.map((_, index) => `/${names.slice(0, names.length - index).join('/')}`)
}

export interface Ranked {
  readonly score: number
  readonly newness: number
}

/**
 * The best first. Scores within a tenth of each other are as good: nobody sees that much of a difference, and of tasks that
 * are as good a person means the newest.
 */
export function ranked<T extends Ranked>(found: readonly T[]): readonly T[] {
  const grade = ({ score }: T): number => Math.round(Math.log(Math.max(score, 1e-12)) / Math.log(1.1))
  return found
    .map((one) => ({ one, grade: grade(one) }))
    .toSorted((a, b) => b.grade - a.grade || b.one.newness - a.one.newness)
    .map(({ one }) => one)
}
