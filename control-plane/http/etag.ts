import type { Task } from '../../src/domain/task.ts'

/**
 * What is shown of a task. The revision rises with what a person decides on, and is what `If-Match` binds an act to; the
 * version with every event.
 */
export const etag = ({ revision, version }: Task): string => `"${revision}.${version}"`

/** Whether `If-None-Match` names the task as it is: then nothing new is to be shown. A weak tag says the same here. */
export function isKnown(header: string | undefined, task: Task): boolean {
  if (header === undefined) return false
  return header.split(',').some((tag) => ['*', etag(task)].includes(tag.trim().replace(/^W\//, '')))
}
