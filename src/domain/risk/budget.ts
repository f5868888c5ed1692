import { defaultBudget } from '../budget.ts'
import type { Budget, RiskReason } from '../task.ts'
import { timeOf } from '../text.ts'
import type { RiskRule } from './rule.ts'

type Spending = Pick<Budget, 'tokens' | 'costUsd'>

/** A budget within the defaults, and within the configured caps on tokens and cost. */
export const budgetRules: readonly RiskRule[] = [
  { id: 'steps', explain: ({ budget }) => manySteps(budget, defaultBudget) },
  { id: 'time', explain: ({ budget }) => muchTime(budget, defaultBudget) },
  { id: 'spending', explain: ({ budget, spending }) => muchSpending(budget, spending) },
]

/**
 * The same for a budget that a resume makes larger: what was granted before is no new reason, nor what the configuration
 * (`spending`) grants.
 */
export function largerBudget(budget: Budget, before: Budget, spending: Spending): readonly RiskReason[] {
  const steps = Math.max(defaultBudget.steps, before.steps)
  const seconds = Math.max(defaultBudget.seconds, before.seconds)
  const caps = {
    tokens: higher(before.tokens, spending.tokens),
    costUsd: higher(before.costUsd, spending.costUsd),
  }
  return [
    ...manySteps(budget, { steps }).map((text) => ({ rule: 'steps', text })),
    ...muchTime(budget, { seconds }).map((text) => ({ rule: 'time', text })),
    ...muchSpending(budget, caps).map((text) => ({ rule: 'spending', text })),
  ]
}

/** Of two caps the one that lets more through; null is none. */
function higher(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : Math.max(one, other)
}

function manySteps({ steps }: Budget, most: Pick<Budget, 'steps'>): readonly string[] {
  return steps > most.steps
    ? [`${steps} steps are more than the ${defaultBudget.steps} that run unasked.`]
    : []
}

function muchTime({ seconds }: Budget, most: Pick<Budget, 'seconds'>): readonly string[] {
  return seconds > most.seconds
    ? [`${timeOf(seconds)} are more than the ${defaultBudget.seconds / 60} that run unasked.`]
    : []
}

/** Only a cap that is set can be exceeded; to take one away exceeds it too. */
function muchSpending(budget: Budget, most: Spending): readonly string[] {
  const above = (wanted: number | null, cap: number | null): boolean =>
    cap !== null && (wanted === null || wanted > cap)
  return [
    ...(above(budget.tokens, most.tokens)
      ? [`${budget.tokens ?? 'Unlimited'} tokens are more than the ${most.tokens} that run unasked.`]
      : []),
    ...(above(budget.costUsd, most.costUsd)
      ? [`A cost of ${budget.costUsd ?? 'any'} USD is more than the ${most.costUsd} that run unasked.`]
      : []),
  ]
}
