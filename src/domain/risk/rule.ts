import type { AgentChoice } from '../agent.ts'
import type { Policy } from '../policy.ts'
import type { Budget } from '../task.ts'

/** Who wrote a command: the configuration, somebody who may approve, or anybody else. */
export type Author = 'config' | 'owner' | 'other'

/** A task as the gate sees it: complete, before it is queued. */
export interface RiskInput {
  readonly goal: string
  readonly setup: string | null
  readonly setupBy: Author
  readonly test: string | null
  readonly testBy: Author
  readonly agent: AgentChoice
  readonly agentBy: Author
  readonly budget: Budget
  /** The configured caps on tokens and cost. */
  readonly spending: Pick<Budget, 'tokens' | 'costUsd'>
  readonly policy: Policy
  /** The configured policy: what this task's may be stricter than, but not weaker. */
  readonly defaults: Policy
}

/** One reason to ask a person: its name, and a sentence per finding. */
export interface RiskRule {
  readonly id: string
  readonly explain: (input: RiskInput) => readonly string[]
}
