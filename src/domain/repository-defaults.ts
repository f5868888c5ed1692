import type { AgentChoice } from './agent.ts'
import type { DeliveryDefaults } from './delivery/merge.ts'
import type { PolicyRequest } from './policy-request.ts'
import type { Budget } from './task.ts'

/** What the operator configured for tasks on one repository; absent fields are not configured. */
export interface RepositoryDefaults {
  readonly agent?: AgentChoice
  readonly setup?: string
  readonly test?: string
  readonly policy?: PolicyRequest
  readonly budget?: Partial<Budget>
  readonly delivery?: DeliveryDefaults
}
