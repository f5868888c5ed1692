import type { BoxKind } from './box.ts'
import type { Millis } from './brand.ts'
import type { Budget, Task } from './task.ts'

/** What a task gets where neither the request nor the configuration says otherwise, and what runs without asking a person. */
export const defaultBudget: Budget = { steps: 8, seconds: 20 * 60, tokens: null, costUsd: null }

/** Minutes that a person gave, which may have decimals, in whole seconds; at least 1. */
export function secondsOf(minutes: number): number {
  return Math.max(1, Math.round(minutes * 60))
}

/** What is left of a task's budget; never negative. */
export interface Left {
  readonly steps: number
  readonly ms: Millis
}

export function left(task: Pick<Task, 'budget' | 'spent'>): Left {
  return {
    steps: Math.max(0, task.budget.steps - task.spent.steps),
    ms: Math.max(0, task.budget.seconds * 1000 - task.spent.ms),
  }
}

/** Wall time that a box may take, whole seconds: its kind's own limit, or what is left of the time budget; at least 1. */
export function boxSeconds(task: Pick<Task, 'budget' | 'spent' | 'policy'>, kind: BoxKind): number {
  const { setupSeconds, testSeconds } = task.policy.limits
  const own = { setup: setupSeconds, baseline: testSeconds, test: testSeconds, agent: Infinity }
  return Math.max(1, Math.min(own[kind], Math.ceil(left(task).ms / 1000)))
}
