import type { BudgetRequest } from '../../domain/intake.ts'

const parts = ['steps', 'minutes', 'tokens', 'cost'] as const
type Part = (typeof parts)[number]

/** What is typed into each field. */
export type BudgetTexts = Readonly<Record<Part, string>>
export const noBudget: BudgetTexts = { steps: '', minutes: '', tokens: '', cost: '' }

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
