import type { Task } from '../domain/task.ts'
import { type GroupName, groupOf } from './words.ts'

/** The first tasks of a group, newest first; `next` is the cursor of those that follow, null where none do. */
export interface List {
  readonly tasks: readonly Task[]
  readonly next: string | null
}

export type Lists = Readonly<Partial<Record<GroupName, List>>>

/** The lists with a task as it is now: where it was it is no more, and where it belongs it stands in its place. */
export function placed(lists: Lists, task: Task): Lists {
  const home = groupOf(task).name
  return Object.fromEntries(
    Object.entries(lists).map(([name, list]) => [
      name,
      name === home ? held(list, task) : without(list, task),
    ]),
  )
}

/** The list with one more page. What it has already is not there twice: tasks may have come in meanwhile. */
export function extended(list: List, page: List): List {
  const known = new Set(list.tasks.map(({ id }) => id))
  return { tasks: [...list.tasks, ...page.tasks.filter(({ id }) => !known.has(id))], next: page.next }
}

function without(list: List, { id }: Task): List {
  return list.tasks.some((each) => each.id === id)
    ? { ...list, tasks: list.tasks.filter((each) => each.id !== id) }
    : list
}

function held(list: List, task: Task): List {
  const known = list.tasks.find(({ id }) => id === task.id)
  if (known !== undefined) {
    // What was read later may have come earlier.
    if (known.version > task.version) return list
    return { ...list, tasks: list.tasks.map((each) => (each.id === task.id ? task : each)) }
  }
  const last = list.tasks.at(-1)
  // It is on a page that is not shown.
  if (list.next !== null && last !== undefined && isNewer(last, task)) return list
  return { ...list, tasks: [...list.tasks, task].toSorted((a, b) => (isNewer(a, b) ? -1 : 1)) }
}

const isNewer = (a: Task, b: Task): boolean =>
  a.createdAt === b.createdAt ? a.id > b.id : a.createdAt > b.createdAt
