import type { Author } from '../../src/domain/risk/rule.ts'
import type { Actor } from '../../src/domain/task.ts'

/** Whether what an actor writes is by that approved: the local user owns the data folder, and so may approve. */
export function authorOf({ kind }: Actor): Exclude<Author, 'config'> {
  return kind === 'local' ? 'owner' : 'other'
}
