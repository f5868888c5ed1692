import { useState } from 'preact/hooks'
import type { Act } from '../../domain/control-plane.ts'
import type { Task } from '../../domain/task.ts'
import { get, post } from '../api.ts'
import { useKept, useLoaded, useSending } from '../hooks.ts'
import { Form, Problem, Send } from '../parts.tsx'
import { BudgetFields, type BudgetTexts, budgetOf, noBudget } from './budget-fields.tsx'
import { isUndelivered } from './delivery-words.ts'

type Name = Act['act']

interface Said {
  readonly button: string
  /** What the form asks for; null where there is nothing to say. */
  readonly label: string | null
  readonly send: string
  readonly required?: boolean
  readonly about?: string
}

const said: Readonly<Partial<Record<Name, Said>>> = {
  steer: {
    button: 'Steer',
    label: 'What should the agent hear at its next step?',
    send: 'Send it',
    required: true,
  },
  resume: { button: 'Resume', label: 'What should the agent hear? (may stay empty)', send: 'Go on' },
  pause: {
    button: 'Pause',
    label: null,
    send: 'Pause it',
    about: 'Its box is ended; what it has done so far is kept.',
  },
  stop: {
    button: 'Stop',
    label: 'Why? (may stay empty)',
    send: 'Stop it now',
    about: 'Its box is ended at once; what it has done so far is kept.',
  },
  reject: { button: 'Give up', label: 'Why? (may stay empty)', send: 'Give it up for good' },
  discard: {
    button: 'Discard',
    label: null,
    send: 'Throw its work away',
    about: 'Its work is removed here. A branch that your repository was given stays there.',
  },
}

/** What this person can do with a task now, but for decisions on a draft, which have their own place. */
export function Acts({ task, take }: { readonly task: Task; readonly take: (task: Task) => void }) {
  const loaded = useLoaded(
    () => get<{ acts: readonly Name[] }>(`/v1/tasks/${task.id}/acts`),
    [task.id, task.version],
  )
  const [text, setText] = useKept(`${task.id}:say`)
  const [open, setOpen] = useState<Name | null>(null)
  const [budget, setBudget] = useState<BudgetTexts>(noBudget)
  const sending = useSending()
  const draft = task.status === 'DRAFT' ? ['approve', 'reject', 'suggest'] : ['approve', 'suggest']
  // What becomes of applied work is decided at its own place.
  const names = (loaded.value?.acts ?? []).filter(
    (name) =>
      said[name] !== undefined && !draft.includes(name) && !(name === 'discard' && isUndelivered(task)),
  )
  const shown = open !== null && names.includes(open) ? open : null
  const words = shown === null ? undefined : said[shown]
  const act = (name: Name): void =>
    sending.send(async () => {
      const body = bodyOf(name, text.trim() === '' ? null : text, budget)
      // A discard is for what is shown; what somebody says is good for whatever the task is by now.
      const bound = name === 'discard' || name === 'reject' ? { 'if-match': `"${task.revision}"` } : {}
      take(await post<Task>(`/v1/tasks/${task.id}/${name}`, body, bound))
      if (words?.label !== null) setText('')
      setBudget(noBudget)
      setOpen(null)
    })
  return (
    <div class="acts">
      {names.length > 0 && (
        <p class="buttons">
          {names.map((name) => (
            <button
              key={name}
              type="button"
              aria-expanded={shown === name}
              onClick={() => setOpen(shown === name ? null : name)}
            >
              {said[name]?.button}…
            </button>
          ))}
        </p>
      )}
      {shown !== null && words !== undefined && (
        <Form label={words.button} onSend={() => act(shown)}>
          {words.about !== undefined && <p>{words.about}</p>}
          {words.label !== null && (
            <>
              <label for="act-text">{words.label}</label>
              <textarea
                id="act-text"
                rows={3}
                maxLength={20_000}
                required={words.required ?? false}
                value={text}
                onInput={(event) => setText(event.currentTarget.value)}
              />
            </>
          )}
          {shown === 'resume' && (
            <details open={task.status === 'TIMEOUT'}>
              <summary>A larger budget</summary>
              <BudgetFields name="resume" texts={budget} onChange={setBudget} />
              <p class="faint">What stays empty stays as it is. What is spent stays spent.</p>
            </details>
          )}
          <Send sending={sending} class={shown === 'discard' || shown === 'stop' ? 'danger' : 'main'}>
            {words.send}
          </Send>
        </Form>
      )}
      {text !== '' && shown === null && names.length > 0 && (
        <p class="faint">What you have typed for this task is kept.</p>
      )}
      <Problem text={sending.error ?? loaded.error?.message ?? null} />
    </div>
  )
}

function bodyOf(name: Name, text: string | null, texts: BudgetTexts): object {
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
