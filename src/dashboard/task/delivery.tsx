import { useRef, useState } from 'preact/hooks'
import type { Decisions, Offer } from '../../domain/decision.ts'
import { deliverySaid, refusalOf } from '../../domain/standing.ts'
import type { Task, TaskEvent } from '../../domain/task.ts'
import { post } from '../api.ts'
import { type Loaded, useSending } from '../hooks.ts'
import { Link } from '../navigation.tsx'
import { Form, Problem, Send } from '../parts.tsx'
import { respelled } from '../respelled.ts'
import { deliveryTitle, discardText, isUndelivered, undoText } from './delivery-words.ts'
import { MergeForm } from './merge-form.tsx'
import { webAddress } from './outside.ts'
import { PullForm } from './pull-form.tsx'
import { useReviewing } from './review.tsx'

interface DeliveryProps {
  readonly task: Task
  readonly events: readonly TaskEvent[]
  readonly decisions: Loaded<Decisions | null>
  readonly take: (task: Task) => void
}

/** What is to become of the work of an applied task, and how far that has come. */
export function Delivery(props: DeliveryProps) {
  const { task, decisions } = props
  if (task.status !== 'APPLIED' || task.kind === 'question') return null
  const found = decisions.value
  // What was loaded for an earlier revision is good for nothing.
  const offer = found?.revision === task.revision ? found.offer : null
  const heading = useRef<HTMLHeadingElement>(null)
  return (
    <section class={offer === null ? 'delivery' : 'decision delivery'} aria-labelledby="delivery">
      <div role="status">
        <h2 id="delivery" ref={heading} tabIndex={-1}>
          {deliveryTitle(task)}
        </h2>
      </div>
      <Said {...props} />
      <Mending task={task} />
      {offer !== null && found !== null && (
        // The form is gone with the button that sent it, and what stood beneath it would be all that is seen.
        <Choices {...props} offer={offer} found={found} done={() => heading.current?.focus()} />
      )}
      {found?.revision === task.revision && offer === null && isUndelivered(task) && (
        <p class="faint">An owner can decide this.</p>
      )}
      <Problem text={decisions.error?.message ?? null} />
    </section>
  )
}

function Said({ task, events }: DeliveryProps) {
  const { delivery, pull } = task
  const said = deliverySaid(task)
  const by = events.findLast(({ type }) => type === 'superseded')?.data['by']
  const address = pull?.url == null ? null : webAddress(pull.url)
  const followed =
    delivery !== 'pr_open'
      ? null
      : pull?.unfollowed == null
        ? ', which is followed until it is merged or closed.'
        : ', which is not followed. Where it is over, an owner says so by “Merged or closed there”.'
  return (
    <>
      {said !== null && <p class="words">{respelled(said)}</p>}
      {delivery === 'superseded' && typeof by === 'string' && (
        <p>
          It begins with what is here: <Link to={{ page: 'task', id: by, view: 'overview' }}>task {by}</Link>
        </p>
      )}
      {pull !== null && delivery.startsWith('pr_') && (
        <p>
          {address === null ? (
            `Pull request ${pull.number} of ${pull.project}`
          ) : (
            <a href={address} rel="noopener noreferrer" target="_blank">
              Pull request {pull.number} of {pull.project}
            </a>
          )}
          {address === null && pull.url !== null && (
            <>
              {' '}
              (<code>{pull.url}</code>)
            </>
          )}
          {followed}
        </p>
      )}
    </>
  )
}

/** What there is to do about work that does not go together with the branch as it is. */
function Mending({ task }: Pick<DeliveryProps, 'task'>) {
  const isReviewing = useReviewing(task)
  const refusal = refusalOf(task)
  if (!isReviewing) return null
  if (refusal === 'conflict')
    return (
      <p>
        <Link to={{ page: 'new' }}>A new task</Link> with{' '}
        {task.parentTaskId === null ? 'the same goal' : 'the first goal and what was asked for since'}, to
        begin at <code>{task.merge?.into ?? task.base.ref}</code>, brings both together. One that “Request
        changes” makes does not see that branch.
      </p>
    )
  if (refusal !== 'setup' && refusal !== 'test') return null
  return (
    <p>
      “Request changes” has another task mend it: that stands at the end of{' '}
      <Link to={{ page: 'task', id: task.id, view: 'changes' }}>its changes</Link>.
    </p>
  )
}

interface ChoicesProps extends DeliveryProps {
  readonly offer: Offer
  readonly found: Decisions
  readonly done: () => void
}

const acts = ['merge', 'pull-request', 'undo', 'discard'] as const
type Open = (typeof acts)[number]

const names: Readonly<Record<Open, string>> = {
  merge: 'Merge',
  'pull-request': 'Pull request',
  undo: 'Undo the merge',
  discard: 'Discard',
}

function Choices({ task, take, offer, found, done, decisions: { reload } }: ChoicesProps) {
  const [open, setOpen] = useState<Open | null>(null)
  const sending = useSending()
  const idOf = (action: Open): string | null =>
    offer.choices.find((choice) => choice.action === action)?.id ?? null
  // One of the two ways is what the repository is configured for, and has the button; the other is there as well.
  const { merge, pull } = found
  const isPossible = { merge: merge !== null, 'pull-request': pull !== null, undo: false, discard: false }
  const shown = acts.filter((name) => idOf(name) !== null || isPossible[name])
  const sent = async (work: () => Promise<Task>): Promise<void> => {
    try {
      take(await work())
      setOpen(null)
      done()
    } finally {
      // What was offered is used up, or another is offered now.
      reload()
    }
  }
  const press = (action: Open): Promise<Task> =>
    post<Task>(`/v1/tasks/${task.id}/decisions`, { id: idOf(action) ?? '', text: null })
  const confirm = (): void => {
    if (open !== null) sending.send(() => sent(() => press(open)))
  }
  const form = (name: Open) => ({ task, sent, press: idOf(name) === null ? null : () => press(name) })
  const main = acts.find((name) => name !== 'discard' && idOf(name) !== null)
  return (
    <>
      <p class="buttons">
        {shown.map((name) => (
          <button
            key={name}
            type="button"
            class={name === 'discard' ? 'danger' : name === main ? 'main' : undefined}
            aria-expanded={open === name}
            onClick={() => setOpen(open === name ? null : name)}
          >
            {names[name]}…
          </button>
        ))}
      </p>
      {open === 'merge' && merge !== null && <MergeForm {...form(open)} offer={merge} />}
      {open === 'pull-request' && pull !== null && <PullForm {...form(open)} offer={pull} />}
      {(open === 'undo' || open === 'discard') && (
        <Form label={names[open]} onSend={confirm}>
          <p>{open === 'undo' ? undoText(task) : discardText(task)}</p>
          <Problem text={sending.error} />
          <Send sending={sending} class={open === 'discard' ? 'danger' : 'main'}>
            {open === 'undo' ? 'Take it out again' : 'Throw its work away'}
          </Send>
        </Form>
      )}
      {offer.expired && <p class="faint">This offer has expired: the first press opens a fresh one.</p>}
    </>
  )
}
