import type { Task } from './task.ts'

/** What a submission answers: the task, and sentences a person should read (uncommitted work, hidden files, ...). */
export interface Submitted {
  readonly task: Task
  readonly notes: readonly string[]
}
