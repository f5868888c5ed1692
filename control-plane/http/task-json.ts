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

// Whoever looks on asks for the same page again and again.
let last: Page | null = null

/** A page of tasks in JSON, as `tasksSchema` has it. */
export function pageJson(tasks: readonly Task[], next: string | null): Uint8Array<ArrayBuffer> {
  if (last?.next === next && isSame(last.tasks, tasks)) return last.json
  const parts = tasks.flatMap((task, index) => (index === 0 ? [taskJson(task)] : [comma, taskJson(task)]))
  const json = Buffer.concat([begin, ...parts, Buffer.from(`],"next":${JSON.stringify(next)}}`)])
  last = { tasks, next, json }
  return json
}

const begin = Buffer.from('{"tasks":[')
const comma = Buffer.from(',')

function isSame(some: readonly Task[], others: readonly Task[]): boolean {
  return some.length === others.length && some.every((task, index) => task === others[index])
}
