import type { Task } from '../../domain/task.ts'
import { moneyOf, numberOf, spanOf } from '../words.ts'

interface Part {
  readonly name: string
  readonly spent: number
  readonly limit: number | null
  readonly show: (amount: number) => string
}

/** What is spent of each part of the budget, as bars. */
export function Budgets({ task: { budget, spent } }: { readonly task: Task }) {
  const parts: readonly Part[] = [
    { name: 'Steps', spent: spent.steps, limit: budget.steps, show: numberOf },
    { name: 'Time', spent: spent.ms, limit: budget.seconds * 1000, show: spanOf },
    { name: 'Tokens', spent: spent.tokens, limit: budget.tokens, show: numberOf },
    { name: 'Cost', spent: spent.costUsd, limit: budget.costUsd, show: moneyOf },
  ]
  return (
    <dl class="budgets">
      {parts.map(({ name, spent, limit, show }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {limit !== null && <progress aria-label={name} value={Math.min(spent, limit)} max={limit} />}
            <span>
              {show(spent)}
              {limit === null ? ', no limit' : ` of ${show(limit)}`}
            </span>
          </dd>
        </div>
      ))}
    </dl>
  )
}
