import type { Task } from '../../src/domain/task.ts'

/** What `If-Match` binds an act to: the revision, which rises with what a person decides on and not with every event. */
export const etag = ({ revision }: Task): string => `"${revision}"`
