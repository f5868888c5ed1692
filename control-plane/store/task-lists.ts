import type { TaskFilter } from '../../src/domain/control-plane.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Task } from '../../src/domain/task.ts'
import type { Connection } from './database.ts'
import { memo } from './memo.ts'
import type { RepositoryTasks } from './store.ts'

type Found = Pick<Task, 'id' | 'createdAt'>

/**
 * `needsPerson` of the domain, in the words of the index that has these tasks: written otherwise it would not be used. A row
 * that is damaged is left to who reads it, and keeps nobody from the others.
 */
export const needsPerson = `(delivery <> 'discarded' AND (
    status IN ('DRAFT', 'BLOCKED', 'FAILED', 'TIMEOUT') OR delivery IN ('conflict', 'rejected', 'pr_closed')
    OR (delivery = 'none' AND coalesce(CASE WHEN json_valid(merge) THEN merge ->> 'refusal' END,
      CASE WHEN json_valid(pull) THEN pull ->> 'refusal' END) IS NOT NULL)
    OR (delivery = 'pr_open' AND CASE WHEN json_valid(pull) THEN pull ->> 'unfollowed' END IS NOT NULL)))`

/**
 * Tasks in the order of their births. Each state and repository has an index in that order, so a page costs what it holds
 * and not what there is; several states are read one by one and put together.
 */
export function taskLists(db: Connection, several: (ids: readonly TaskId[]) => readonly Task[]) {
  const find = (where: string) =>
    db.prepare<(string | number)[], Found>(
      `SELECT id, created_at AS createdAt FROM runtime_tasks
       WHERE ${where} created_at >= ? AND (created_at, id) < (?, ?)
       ORDER BY created_at DESC, id DESC LIMIT ?`,
    )
  const found = memo(find)
  const repositories = db.prepare<[], RepositoryTasks>(
    `SELECT repository_path AS path, count(*) AS tasks, max(created_at) AS lastTaskAt
     FROM runtime_tasks GROUP BY repository_path ORDER BY repository_path`,
  )

  const meant = ({ statuses, repository, limit = -1, ...filter }: TaskFilter): readonly Found[] => {
    const range = [...rangeOf(filter), limit]
    const [where, values] =
      repository === undefined
        ? ([conditionOf(filter), []] as const)
        : ([`${conditionOf(filter)} repository_path = ? AND`, [repository]] as const)
    if (statuses === undefined) return found(where).all(...values, ...range)
    const inStatus = found(`status = ? AND ${where}`)
    const each = [...new Set(statuses)].map((status) => inStatus.all(status, ...values, ...range))
    const together = each.length === 1 ? (each[0] ?? []) : each.flat().toSorted(newestFirst)
    return limit < 0 ? together : together.slice(0, limit)
  }

  return {
    tasks: (filter: TaskFilter): readonly Task[] => several(meant(filter).map(({ id }) => id)),

    repositories: (): readonly RepositoryTasks[] => repositories.all(),
  }
}

/** Questions have an index of their own, as those have that need a person; of the others there are so many that they need none. */
function conditionOf({ kind, needsPerson: needs }: TaskFilter): string {
  const ofKind = { any: '', change: 'kind IS NULL AND', question: `kind = 'question' AND` }[kind ?? 'any']
  return needs === undefined ? ofKind : `${ofKind} ${needs ? '' : 'NOT'} ${needsPerson} AND`
}

const newestFirst = (a: Found, b: Found): number =>
  b.createdAt - a.createdAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)

/** From when on, and up to which time and id, both excluded: the smaller of where the filter ends and where a page begins. */
function rangeOf({ since, until, after }: TaskFilter): readonly [number, number, string] {
  const end = until ?? Number.MAX_SAFE_INTEGER
  const least = since ?? 0
  // No id comes before ''.
  return after !== undefined && after.createdAt < end ? [least, after.createdAt, after.id] : [least, end, '']
}
