import { useState } from 'preact/hooks'
import type { Decisions } from '../../domain/decision.ts'
import type { Task } from '../../domain/task.ts'
import { post } from '../api.ts'
import { type Loaded, useKept, useNow, useSending } from '../hooks.ts'
import { Form, Moment, Problem, Send } from '../parts.tsx'
import { nameOf } from '../words.ts'

interface DecisionProps {
  readonly task: Task
  readonly loaded: Loaded<Decisions | null>
  readonly take: (task: Task) => void
}

const names: Readonly<Record<string, string>> = { approve: 'Approve', suggest: 'Suggest', reject: 'Reject' }
const inThePast: Readonly<Record<string, string>> = {
  approve: 'approved',
  suggest: 'suggested',
  reject: 'rejected',
  merge: 'decided to merge',
  'pull-request': 'decided to propose',
  undo: 'decided to take out',
  discard: 'discarded',
  request_changes: 'asked for changes of',
}

/** Why a draft wants a person, and the buttons that decide, each good once and for what is shown. */
export function Decision({ task, loaded, take }: DecisionProps) {
  const now = useNow()
  if (task.status !== 'DRAFT') return <Decided loaded={loaded.value} now={now} />
  const offer = loaded.value?.offer ?? null
  return (
    <section class="decision" aria-labelledby="decision">
      <h2 id="decision">This task wants a person</h2>
      <ul>
        {task.risks.map(({ rule, text }) => (
          <li key={`${rule} ${text}`}>{text}</li>
        ))}
      </ul>
      <Problem text={loaded.error?.message ?? null} />
      {loaded.value !== null && offer === null && <p class="faint">An owner can decide this.</p>}
      {offer !== null && (
        <>
          <Choices task={task} choices={offer.choices} take={take} reload={loaded.reload} />
          <p class="faint">
            {offer.expired
              ? 'This offer has expired: the first press opens a fresh one.'
              : 'This offer expires '}
            {!offer.expired && <Moment at={offer.expiresAt} now={now} />}
          </p>
        </>
      )}
      <Decided loaded={loaded.value} now={now} />
    </section>
  )
}

function Decided({ loaded, now }: { readonly loaded: Decisions | null; readonly now: number }) {
  const last = loaded?.last ?? null
  if (last === null) return null
  return (
    <p class="facts">
      <span>
        {nameOf(last.by)} {inThePast[last.action] ?? last.action} this <Moment at={last.at} now={now} />
      </span>
      {last.text !== null && <span class="words">“{last.text}”</span>}
    </p>
  )
}

interface ChoicesProps extends Pick<DecisionProps, 'task' | 'take'> {
  readonly choices: readonly { readonly action: string; readonly id: string }[]
  readonly reload: () => void
}

function Choices({ task, choices, take, reload }: ChoicesProps) {
  const [text, setText] = useKept(`${task.id}:decide`)
  const [open, setOpen] = useState<string | null>(text === '' ? null : 'suggest')
  const sending = useSending()
  const has = (action: string): boolean => choices.some((each) => each.action === action)
  const decide = (action: string, words: string | null): void =>
    sending.send(async () => {
      const choice = choices.find((each) => each.action === action)
      try {
        take(await post<Task>(`/v1/tasks/${task.id}/decisions`, { id: choice?.id ?? '', text: words }))
        if (words !== null) setText('')
        setOpen(null)
      } finally {
        // What was offered is used up, or another is offered now.
        reload()
      }
    })
  return (
    <>
      <p class="buttons">
        {has('approve') && (
          <button
            type="button"
            class="main"
            aria-disabled={sending.busy}
            onClick={() => decide('approve', null)}
          >
            {names['approve']}
          </button>
        )}
        {(['suggest', 'reject'] as const).filter(has).map((action) => (
          <button
            key={action}
            type="button"
            aria-expanded={open === action}
            onClick={() => setOpen(open === action ? null : action)}
          >
            {names[action]}…
          </button>
        ))}
      </p>
      {open !== null && (
        <Form label={names[open] ?? open} onSend={() => decide(open, text.trim() === '' ? null : text)}>
          <label for="decide-text">
            {open === 'suggest' ? 'What should be added to the goal?' : 'Why? (may stay empty)'}
          </label>
          <textarea
            id="decide-text"
            rows={3}
            maxLength={20_000}
            required={open === 'suggest'}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <Send sending={sending}>{open === 'suggest' ? 'Send the suggestion' : 'Reject it for good'}</Send>
        </Form>
      )}
      <Problem text={sending.error} />
    </>
  )
}
