import type { Author } from '../../src/domain/risk/rule.ts'
import type { Caller } from '../../src/domain/caller.ts'

/** Whether what a caller writes is by that approved. */
export function authorOf({ role }: Caller): Exclude<Author, 'config'> {
  return role === 'owner' ? 'owner' : 'other'
}
