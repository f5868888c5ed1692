import type { Task } from '../../src/domain/task.ts'

// A task is never changed, and the store hands out the same one until it is another: lists of them are mostly the same.
const known = new WeakMap<Task, string>()

/** A task in JSON, made once. */
export function taskJson(task: Task): string {
  const made = known.get(task) ?? JSON.stringify(task)
  known.set(task, made)
  return made
}

/** A page of tasks in JSON, as `tasksSchema` has it. */
export const pageJson = (tasks: readonly Task[], next: string | null): string =>
  `{"tasks":[${tasks.map(taskJson).join(',')}],"next":${JSON.stringify(next)}}`
