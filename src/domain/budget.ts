import type { BoxKind } from './box.ts'
import type { Millis } from './brand.ts'
import type { BudgetRequest } from './intake.ts'
import type { Budget, Task } from './task.ts'
import { counted, timeOf } from './text.ts'

/** What a task gets where neither the request nor the configuration says otherwise, and what runs without asking a person. */
export const defaultBudget: Budget = { steps: 8, seconds: 20 * 60, tokens: null, costUsd: null }

/** Minutes that a person gave, which may have decimals, in whole seconds; at least 1. */
export function secondsOf(minutes: number): number {
  return Math.max(1, Math.round(minutes * 60))
}

/** The parts of a budget that a request names. */
export function budgetParts({ steps, minutes, tokens, cost }: BudgetRequest): Partial<Budget> {
  return {
    ...(steps === undefined ? {} : { steps }),
    ...(minutes === undefined ? {} : { seconds: secondsOf(minutes) }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(cost === undefined ? {} : { costUsd: cost }),
  }
}

/** What is left of a task's budget; never negative, and null where there is no limit. */
export interface Left {
  readonly steps: number
  readonly ms: Millis
  readonly tokens: number | null
  readonly costUsd: number | null
}

export function left(task: Pick<Task, 'budget' | 'spent'>): Left {
  return {
    steps: Math.max(0, task.budget.steps - task.spent.steps),
    ms: Math.max(0, task.budget.seconds * 1000 - task.spent.ms),
    tokens: rest(task.budget.tokens, task.spent.tokens),
    costUsd: rest(task.budget.costUsd, task.spent.costUsd),
  }
}

const rest = (limit: number | null, spent: number): number | null =>
  limit === null ? null : Math.max(0, limit - spent)

/** The part of a budget that is used up, where one is. */
export function usedUp(left: Left): 'time' | 'steps' | 'tokens' | 'cost' | null {
  if (left.ms <= 0) return 'time'
  if (left.steps <= 0) return 'steps'
  if (left.tokens === 0) return 'tokens'
  return left.costUsd === 0 ? 'cost' : null
}

/** One part of a budget as a resume names it, in its own unit. */
export interface More {
  readonly option: 'steps' | 'minutes' | 'tokens' | 'cost'
  readonly amount: number
}

/** A part of a budget with room to go on: above what was granted and, as an open call may overshoot, above what is spent. */
export function moreBudget(
  { budget, spent }: Pick<Task, 'budget' | 'spent'>,
  part: 'time' | 'steps' | 'tokens' | 'cost',
): More {
  switch (part) {
    case 'steps':
      return { option: 'steps', amount: Math.max(budget.steps, spent.steps) + 4 }
    case 'time':
      return {
        option: 'minutes',
        amount: Math.ceil(Math.max(budget.seconds, spent.ms / 1000) / 60) + 10,
      }
    case 'tokens':
      return { option: 'tokens', amount: Math.max(budget.tokens ?? 0, spent.tokens) * 2 }
    case 'cost':
      // Up to whole cents.
      return { option: 'cost', amount: Math.ceil(Math.max(budget.costUsd ?? 0, spent.costUsd) * 200) / 100 }
  }
}

/** What a resume has to give more of, where a task was halted because that was used up; null where it was not. */
export function moreNeeded(task: Pick<Task, 'budget' | 'spent' | 'halt'>): More | null {
  switch (task.halt?.reason) {
    case 'steps':
    case 'time':
    case 'tokens':
    case 'cost':
      return moreBudget(task, task.halt.reason)
    default:
      return null
  }
}

/** Wall time that a box may take, whole seconds: its kind's own limit, or what is left of the time budget; at least 1. */
export function boxSeconds(task: Pick<Task, 'budget' | 'spent' | 'policy'>, kind: BoxKind): number {
  const { setupSeconds, testSeconds } = task.policy.limits
  const own = { setup: setupSeconds, baseline: testSeconds, test: testSeconds, agent: Infinity }
  return Math.max(1, Math.min(own[kind], Math.ceil(left(task).ms / 1000)))
}

/** A budget in words. */
export function budgetText({ steps, seconds, tokens, costUsd }: Budget): string {
  const caps = [tokens === null ? null : counted(tokens, 'token'), costUsd === null ? null : `${costUsd} USD`]
  return [counted(steps, 'step'), timeOf(seconds), ...caps.filter((cap) => cap !== null)].join(', ')
}
