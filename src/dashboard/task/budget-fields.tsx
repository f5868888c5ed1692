import type { BudgetRequest } from '../../domain/intake.ts'
import { isKept, useKept } from '../hooks.ts'

const parts = ['steps', 'minutes', 'tokens', 'cost'] as const
type Part = (typeof parts)[number]

/** What is typed into each field. */
export type BudgetTexts = Readonly<Record<Part, string>>
export const noBudget: BudgetTexts = { steps: '', minutes: '', tokens: '', cost: '' }

/** What is typed for a budget, kept as other texts are. @param name under which it is */
export function useBudget(name: string): readonly [BudgetTexts, (texts: BudgetTexts) => void] {
  const kept = {
    steps: useKept(`${name}:steps`),
    minutes: useKept(`${name}:minutes`),
    tokens: useKept(`${name}:tokens`),
    cost: useKept(`${name}:cost`),
  }
  const texts = {
    steps: kept.steps[0],
    minutes: kept.minutes[0],
    tokens: kept.tokens[0],
    cost: kept.cost[0],
  }
  const keep = (next: BudgetTexts): void => {
    for (const part of parts) kept[part][1](next[part])
  }
  return [texts, keep]
}

/** Whether some of it was typed that was not sent. */
export const isBudgetKept = (name: string): boolean => parts.some((part) => isKept(`${name}:${part}`))

/** The parts that are not empty, as numbers. */
export function budgetOf(texts: BudgetTexts): BudgetRequest {
  return Object.fromEntries(
    parts.flatMap((part) => (texts[part].trim() === '' ? [] : [[part, Number(texts[part])]])),
  )
}

const fields: Readonly<Record<Part, { readonly label: string; readonly step: string }>> = {
  steps: { label: 'Steps', step: '1' },
  minutes: { label: 'Minutes', step: 'any' },
  tokens: { label: 'Tokens', step: '1' },
  cost: { label: 'Cost, US dollars', step: 'any' },
}

interface BudgetFieldsProps {
  /** Tells several of a page apart. */
  readonly name: string
  readonly texts: BudgetTexts
  readonly onChange: (texts: BudgetTexts) => void
}

export function BudgetFields({ name, texts, onChange }: BudgetFieldsProps) {
  return (
    <div class="fields">
      {parts.map((part) => (
        <div key={part}>
          <label for={`${name}-${part}`}>{fields[part].label}</label>
          <input
            id={`${name}-${part}`}
            type="number"
            inputMode="decimal"
            min="0"
            step={fields[part].step}
            value={texts[part]}
            onInput={(event) => onChange({ ...texts, [part]: event.currentTarget.value })}
          />
        </div>
      ))}
    </div>
  )
}
