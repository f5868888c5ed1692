import type { Task } from '../../src/domain/task.ts'

// A task is never changed, and the store hands out the same one until it is another: lists of them are mostly the same.
const known = new WeakMap<Task, Buffer>()

/** A task in JSON, made once, as bytes: a page is then copied together and not encoded again. */
export function taskJson(task: Task): Buffer {
  const made = known.get(task) ?? Buffer.from(JSON.stringify(task))
  known.set(task, made)
  return made
}

interface Page {
  readonly tasks: readonly Task[]
  readonly next: string | null
  readonly json: Uint8Array<ArrayBuffer>
}

/** The most tasks that a page may have that is kept: those of a large one may be tens of megabytes. */
const mostKept = 100

/** Writes pages of tasks in JSON, as `tasksSchema` has it. The last is kept: whoever looks on asks for it again and again. */
export function pageWriter(): (tasks: readonly Task[], next: string | null) => Uint8Array<ArrayBuffer> {
  let last: Page | null = null
  return (tasks, next) => {
    if (last?.next === next && isSame(last.tasks, tasks)) return last.json
    const parts = tasks.flatMap((task, index) => (index === 0 ? [taskJson(task)] : [comma, taskJson(task)]))
    const json = Buffer.concat([begin, ...parts, Buffer.from(`],"next":${JSON.stringify(next)}}`)])
    if (tasks.length <= mostKept) last = { tasks, next, json }
    return json
  }
}

const begin = Buffer.from('{"tasks":[')
const comma = Buffer.from(',')

function isSame(some: readonly Task[], others: readonly Task[]): boolean {
  return some.length === others.length && some.every((task, index) => task === others[index])
}
