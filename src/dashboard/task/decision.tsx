import { useState } from 'preact/hooks'
import type { Decisions } from '../../domain/decision.ts'
import type { Task } from '../../domain/task.ts'
import { post } from '../api.ts'
import { isKept, type Loaded, type Sending, useKept, useNow, useSending } from '../hooks.ts'
import { Form, Moment, Problem, Send } from '../parts.tsx'
import { nameOf } from '../words.ts'
import { Approval } from './approval.tsx'

interface DecisionProps {
  readonly task: Task
  readonly loaded: Loaded<Decisions | null>
  readonly take: (task: Task) => void
}

/** What somebody decided, as it goes on after their name. */
const inThePast: Readonly<Record<string, string>> = {
  approve: 'approved this',
  suggest: 'added a suggestion',
  reject: 'rejected this',
  merge: 'decided to merge this',
  'pull-request': 'decided to open a pull request',
  'pull-ended': 'said what has become of the pull request',
  undo: 'decided to undo the merge',
  discard: 'discarded the work',
  request_changes: 'asked for changes',
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
        {task.risks.length === 0 && <li>It was asked for as a draft.</li>}
      </ul>
      <Approval task={task} />
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
        {nameOf(last.by)} {inThePast[last.action] ?? `decided: ${last.action}`}{' '}
        <Moment at={last.at} now={now} />
      </span>
      {last.text !== null && <span class="words">“{last.text}”</span>}
    </p>
  )
}

interface ChoicesProps extends Pick<DecisionProps, 'task' | 'take'> {
  readonly choices: readonly { readonly action: string; readonly id: string }[]
  readonly reload: () => void
}

const asks = {
  suggest: { button: 'Suggest', label: 'What should be added to the goal?', send: 'Send the suggestion' },
  reject: { button: 'Reject', label: 'Why? (may stay empty)', send: 'Reject it for good' },
} as const
type Asking = keyof typeof asks

/** Under which name what is typed is kept: for each of them another, so that a suggestion never shows as a reason. */
const keptAs = (task: Task, name: Asking): string => `${task.id}:${name}`

function Choices({ task, choices, take, reload }: ChoicesProps) {
  const [open, setOpen] = useState<Asking | null>(() => (isKept(keptAs(task, 'suggest')) ? 'suggest' : null))
  const sending = useSending()
  const has = (action: string): boolean => choices.some((each) => each.action === action)
  const decide = (action: string, text: string | null, done: () => void): void =>
    sending.send(async () => {
      const choice = choices.find((each) => each.action === action)
      try {
        take(await post<Task>(`/v1/tasks/${task.id}/decisions`, { id: choice?.id ?? '', text }))
        done()
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
            onClick={() => decide('approve', null, () => undefined)}
          >
            Approve
          </button>
        )}
        {(['suggest', 'reject'] as const).filter(has).map((name) => (
          <button
            key={name}
            type="button"
            class={name === 'reject' ? 'danger' : undefined}
            aria-expanded={open === name}
            onClick={() => setOpen(open === name ? null : name)}
          >
            {asks[name].button}…
          </button>
        ))}
      </p>
      {open !== null && (
        <Saying
          key={open}
          task={task}
          name={open}
          sending={sending}
          send={(text, sent) =>
            decide(open, text, () => {
              sent()
              setOpen(null)
            })
          }
        />
      )}
      <Problem text={sending.error} />
    </>
  )
}

interface SayingProps {
  readonly task: Task
  readonly name: Asking
  readonly sending: Sending
  readonly send: (text: string | null, sent: () => void) => void
}

function Saying({ task, name, sending, send }: SayingProps) {
  const [text, setText] = useKept(keptAs(task, name))
  const { button, label, send: word } = asks[name]
  return (
    <Form label={button} onSend={() => send(text.trim() === '' ? null : text, () => setText(''))}>
      <label for="decide-text">{label}</label>
      <textarea
        id="decide-text"
        rows={3}
        maxLength={20_000}
        required={name === 'suggest'}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <Send sending={sending} class={name === 'reject' ? 'danger' : undefined}>
        {word}
      </Send>
    </Form>
  )
}
