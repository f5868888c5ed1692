import type { Millis } from './brand.ts'
import type { Actor } from './task.ts'

export const auditOutcomes = ['allowed', 'refused', 'failed'] as const
export type AuditOutcome = (typeof auditOutcomes)[number]

/** One control call: who asked for what, and what became of it. */
export interface AuditRow {
  /** Rises with each row. */
  readonly seq: number
  readonly at: Millis
  /** Null where nobody knows who it was. */
  readonly actor: Actor | null
  /** Method and route, such as `POST /v1/tasks/{id}/stop`. */
  readonly action: string
  /** As it was named; there may be no such task. */
  readonly taskId: string | null
  readonly outcome: AuditOutcome
  /** Why it was refused or failed; else `''`. */
  readonly text: string
  readonly requestId: string
}

/** Which rows are meant, newest first. */
export interface AuditFilter {
  readonly taskId?: string
  readonly outcome?: AuditOutcome
  /** Those with a lower `seq`. */
  readonly before?: number
  /** At most this many. */
  readonly limit: number
}

/** What an answer with this status came to. */
export function auditOutcomeOf(status: number): AuditOutcome {
  if (status < 400) return 'allowed'
  return status < 500 ? 'refused' : 'failed'
}
