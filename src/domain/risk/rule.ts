import type { AgentChoice } from '../agent.ts'
import type { Policy } from '../policy.ts'
import type { Budget } from '../task.ts'

/** Who named a repository or wrote a command: the configuration, somebody who may approve, or anybody else. */
export type Author = 'config' | 'owner' | 'other'

/** A task as the gate sees it: complete, before it is queued. */
export interface RiskInput {
  readonly goal: string
  readonly repositoryBy: Author
  readonly setup: string | null
  readonly setupBy: Author
  readonly test: string | null
  readonly testBy: Author
  readonly agent: AgentChoice
  readonly agentBy: Author
  readonly budget: Budget
  readonly policy: Policy
  /** What this task's own may be stricter than, but not weaker. */
  readonly configured: { readonly budget: Budget; readonly policy: Policy }
}

/** One reason to ask a person: its name, and a sentence per finding. */
export interface RiskRule {
  readonly id: string
  readonly explain: (input: RiskInput) => readonly string[]
}
