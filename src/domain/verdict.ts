import type { AgentResult } from './agent.ts'
import type { StepVerdict } from './input.ts'
import type { Progress, Task, TestResult } from './task.ts'

/** So many steps in a row with the same tree and the same failure are no progress. */
export const stuckAfter = 3

/** What a validated step left, as the verdict needs it. */
export interface StepFacts {
  readonly agent: AgentResult
  /** Null where the task has no test command. */
  readonly test: TestResult | null
  /** Whether the task as a whole has changed anything against its base. */
  readonly changedSinceBase: boolean
  /** Tree and failure of this step, hashed. */
  readonly signature: string
  /** Manifests or lock files differ from those that setup ran with. */
  readonly setupChanged: boolean
}

/** The no-progress breaker's count after this step. */
export function progressAfter(before: Progress, signature: string): Progress {
  return { signature, repeats: before.signature === signature ? before.repeats + 1 : 1 }
}

/** Decides what a validated step means. Tests decide over what the agent says; budget comes last. */
export function verdictOf(task: Task, facts: StepFacts): StepVerdict {
  const { agent, test } = facts
  const passed = test?.passed === true
  if (agent.marker.state === 'DONE' && agent.failure === null && (test === null || passed)) {
    if (!facts.changedSinceBase && !passed) return { kind: 'no_change' }
    return { kind: 'apply', outcome: passed ? 'tested' : 'untested' }
  }
  if (agent.marker.state === 'BLOCKED') return { kind: 'agent_blocked', text: agent.marker.blockReason }
  if (facts.setupChanged) return { kind: 'setup_changed', text: setupChangedText }
  if (task.spent.steps + 1 >= task.budget.steps) return { kind: 'steps' }
  if (progressAfter(task.progress, facts.signature).repeats >= stuckAfter) return { kind: 'stuck' }
  return { kind: 'next' }
}

const setupChangedText =
  'The agent changed manifests or lock files, so setup has to run again, with a network. ' +
  'Look at the diff; resume agrees to it, reject ends the task.'
