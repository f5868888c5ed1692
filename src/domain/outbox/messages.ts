import type { TaskId } from '../ids.ts'

/** A message that a destination has sent and may have to find again: to edit it, or to write beneath it. */
export interface SentMessage {
  readonly destination: string
  readonly taskId: TaskId
  /** What it is of that task, such as `status`, `thread` or `decision:3`; one of each. */
  readonly kind: string
  readonly channel: string
  readonly message: string
  /** The version of the task that it shows. */
  readonly shown: number
  /** The revision that it shows. */
  readonly revision: number
  /** False while it offers something. */
  readonly settled: boolean
}

/** The messages that were sent, by what they are. Synchronous and durable. */
export interface MessageBook {
  find(destination: string, taskId: TaskId, kind: string): SentMessage | null
  /** Adds one, or puts it in the place of an earlier one of its kind. */
  put(message: SentMessage): void
  /** Removed by somebody over there, or no longer of use. Of all tasks and kinds where none is named. */
  forget(destination: string, which: { readonly taskId?: TaskId; readonly kind?: string }): void
  /** Those of a task that still offer something, newest last. */
  unsettled(destination: string, taskId: TaskId): readonly SentMessage[]
  /** The newest of a task whose kind begins so. */
  newest(destination: string, taskId: TaskId, prefix: string): SentMessage | null
  /** The task that a message is the status of, or a thread is about: the newest, where questions follow one another up. */
  taskOf(destination: string, message: string): TaskId | null
  /** All of them, newest first. */
  tasksOf(destination: string, message: string): readonly TaskId[]
  /** The tasks whose status message shows an older version than there is, or that a message offers what is over. */
  behind(destination: string): readonly TaskId[]
}
