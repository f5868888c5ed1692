import type { Actor } from './task.ts'

/** Owners control and decide, operators start tasks and stop their own, viewers look. */
export const roles = ['owner', 'operator', 'viewer'] as const
export type Role = (typeof roles)[number]

/**
 * Who calls: `actor` goes on record with what they do, `role` says what they may do now. A role is looked up at every
 * call and never kept with a task, so that one who loses it can do nothing more.
 */
export interface Caller {
  readonly actor: Actor
  readonly role: Role
  /** What the token that they came with is for: they can hand on no more. Absent where they came without one. */
  readonly scopes?: readonly string[]
}
