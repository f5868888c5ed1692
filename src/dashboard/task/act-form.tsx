import { useState } from 'preact/hooks'
import type { PullEnd } from '../../domain/delivery/pull.ts'
import type { Task } from '../../domain/task.ts'
import { isKept, type Sending, useKept } from '../hooks.ts'
import { Form, Send } from '../parts.tsx'
import { type SaidAct, said } from './act-words.ts'
import { discardText } from './delivery-words.ts'
import {
  BudgetFields,
  type BudgetTexts,
  budgetOf,
  isBudgetKept,
  noBudget,
  useBudget,
} from './budget-fields.tsx'

/** The body of the request. */
export type Filled = Readonly<Record<string, unknown>>

interface ActFormProps {
  readonly task: Task
  readonly name: SaidAct
  readonly look: 'main' | 'danger'
  readonly sending: Sending
  /** @param sent is called when it was taken */
  readonly send: (filled: Filled, sent: () => void) => void
}

/** Under which name what is typed is kept: for each act another, so that what an agent should hear never shows as a reason. */
const keptAs = ({ id }: Pick<Task, 'id'>, name: SaidAct): string => `${id}:say:${name}`

/** Whether something was typed for an act that was not sent. */
export const isTyped = (task: Task, name: SaidAct): boolean =>
  isKept(keptAs(task, name)) || isBudgetKept(keptAs(task, name))

/** Asks for what goes along with an act. */
export function ActForm({ task, name, look, sending, send }: ActFormProps) {
  const [text, setText] = useKept(keptAs(task, name))
  const [end, setEnd] = useState<PullEnd>('merged')
  const [budget, setBudget] = useBudget(keptAs(task, name))
  const [hasBudget] = useState(() => isBudgetKept(keptAs(task, name)))
  const { button, label, send: word, required = false, about } = said[name]
  return (
    <Form
      label={button}
      onSend={() =>
        send(bodyOf(name, text.trim() === '' ? null : text, budget, end), () => {
          setText('')
          setBudget(noBudget)
        })
      }
    >
      {name === 'discard' && <p>{discardText(task)}</p>}
      {about !== undefined && <p>{about}</p>}
      {label !== null && (
        <>
          <label for="act-text">{label}</label>
          <textarea
            id="act-text"
            rows={3}
            maxLength={20_000}
            required={required}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </>
      )}
      {name === 'pull-ended' && (
        <>
          <label for="act-end">What has become of it?</label>
          <select
            id="act-end"
            value={end}
            onChange={({ currentTarget: { value } }) => setEnd(value === 'closed' ? value : 'merged')}
          >
            <option value="merged">merged there</option>
            {task.delivery !== 'pr_closed' && <option value="closed">closed there, and not merged</option>}
          </select>
        </>
      )}
      {name === 'resume' && (
        <details open={task.status === 'TIMEOUT' || hasBudget}>
          <summary>A larger budget</summary>
          <BudgetFields name="resume" texts={budget} onChange={setBudget} />
          <p class="faint">What stays empty stays as it is. What is spent stays spent.</p>
        </details>
      )}
      <Send sending={sending} class={look}>
        {word}
      </Send>
    </Form>
  )
}

function bodyOf(name: SaidAct, text: string | null, texts: BudgetTexts, as: PullEnd): Filled {
  if (name === 'pull-ended') return { as }
  if (name === 'steer') return { text: text ?? '' }
  if (name === 'stop' || name === 'reject') return { text }
  if (name !== 'resume') return {}
  const { minutes, cost, ...wanted } = budgetOf(texts)
  const budget = {
    ...wanted,
    ...(minutes === undefined ? {} : { seconds: Math.max(1, Math.round(minutes * 60)) }),
    ...(cost === undefined ? {} : { costUsd: cost }),
  }
  return { instruction: text, budget: Object.keys(budget).length === 0 ? null : budget }
}
