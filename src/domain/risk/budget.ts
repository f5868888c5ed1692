import type { Budget, RiskReason } from '../task.ts'
import { timeOf } from '../text.ts'
import type { RiskRule } from './rule.ts'

/** A budget within the configured one. */
export const budgetRules: readonly RiskRule[] = [
  { id: 'steps', explain: ({ budget, configured }) => manySteps(budget, configured.budget) },
  { id: 'time', explain: ({ budget, configured }) => muchTime(budget, configured.budget) },
  { id: 'spending', explain: ({ budget, configured }) => muchSpending(budget, configured.budget) },
]

/** The same for a budget that a resume makes larger: what was granted before is no new reason, nor what is configured. */
export function largerBudget(budget: Budget, before: Budget, configured: Budget): readonly RiskReason[] {
  const most: Budget = {
    steps: Math.max(configured.steps, before.steps),
    seconds: Math.max(configured.seconds, before.seconds),
    tokens: higher(before.tokens, configured.tokens),
    costUsd: higher(before.costUsd, configured.costUsd),
  }
  return [
    ...manySteps(budget, most).map((text) => ({ rule: 'steps', text })),
    ...muchTime(budget, most).map((text) => ({ rule: 'time', text })),
    ...muchSpending(budget, most).map((text) => ({ rule: 'spending', text })),
  ]
}

/** Of two caps the one that lets more through; null is none. */
function higher(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : Math.max(one, other)
}

function manySteps({ steps }: Budget, most: Budget): readonly string[] {
  return steps > most.steps ? [`${steps} steps are more than the ${most.steps} that run unasked.`] : []
}

function muchTime({ seconds }: Budget, most: Budget): readonly string[] {
  return seconds > most.seconds
    ? [`${timeOf(seconds)} are more than the ${timeOf(most.seconds)} that run unasked.`]
    : []
}

/** Only a cap that is set can be exceeded; to take one away exceeds it too. */
function muchSpending(budget: Budget, most: Budget): readonly string[] {
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
