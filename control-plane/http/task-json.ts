import type { Task } from '../../src/domain/task.ts'

// A task is never changed, and the store hands out the same one until it is another: lists of them are mostly the same.
const known = new WeakMap<Task, Buffer>()

/** A task in JSON, made once, as bytes: a page is then copied together and not encoded again. */
export function taskJson(task: Task): Buffer {
  const made = known.get(task) ?? Buffer.from(JSON.stringify(task))
  known.set(task, made)
  return made
}

const comma = Buffer.from(',')

/** A page of tasks in JSON, as `tasksSchema` has it. */
export function pageJson(tasks: readonly Task[], next: string | null): Uint8Array<ArrayBuffer> {
  const parts = tasks.flatMap((task, index) => (index === 0 ? [taskJson(task)] : [comma, taskJson(task)]))
  return Buffer.concat([
    Buffer.from('{"tasks":['),
    ...parts,
    Buffer.from(`],"next":${JSON.stringify(next)}}`),
  ])
}
