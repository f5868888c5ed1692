import { useState } from 'preact/hooks'
import type { Task } from '../../domain/task.ts'
import { get, post } from '../api.ts'
import { useLoaded, useSending } from '../hooks.ts'
import { Problem } from '../parts.tsx'
import { ActForm, isTyped, type Filled } from './act-form.tsx'
import { type ActName, isBound, isForGood, type SaidAct, said, saidActs } from './act-words.ts'
import { isUndelivered } from './delivery-words.ts'

/** What this person can do with a task now, but for decisions on a draft, which have their own place. */
export function Acts({ task, take }: { readonly task: Task; readonly take: (task: Task) => void }) {
  const loaded = useLoaded(
    () => get<{ acts: readonly ActName[] }>(`/v1/tasks/${task.id}/acts`),
    [task.id, task.version],
  )
  const [open, setOpen] = useState<SaidAct | null>(null)
  const sending = useSending()
  // What becomes of a draft and of applied work is decided at a place of its own.
  const elsewhere = (name: SaidAct): boolean =>
    (name === 'reject' && task.status === 'DRAFT') || (name === 'discard' && isUndelivered(task))
  // Of what does not run, and waits for nothing but a person, nobody sees what there is to stop.
  const isIdle = task.status === 'BLOCKED' || task.status === 'DRAFT'
  const names = saidActs.filter(
    (name) => loaded.value?.acts.includes(name) === true && !elsewhere(name) && !(name === 'stop' && isIdle),
  )
  const shown = open !== null && names.includes(open) ? open : null
  const act = (name: SaidAct, filled: Filled, sent: () => void): void =>
    sending.send(async () => {
      const bound = isBound(name) ? { 'if-match': `"${task.revision}"` } : {}
      take(await post<Task>(`/v1/tasks/${task.id}/${name}`, filled, bound))
      sent()
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
              class={lookOf(name)}
              aria-expanded={shown === name}
              onClick={() => setOpen(shown === name ? null : name)}
            >
              {said[name].button}…
            </button>
          ))}
        </p>
      )}
      {shown !== null && (
        <ActForm
          key={shown}
          task={task}
          name={shown}
          look={lookOf(shown) ?? 'main'}
          sending={sending}
          send={(filled, sent) => act(shown, filled, sent)}
        />
      )}
      {shown === null && names.some((name) => isTyped(task, name)) && (
        <p class="faint">What you have typed for this task is kept.</p>
      )}
      <Problem text={sending.error ?? loaded.error?.message ?? null} />
    </div>
  )
}

/** Where a task can go on, that is what most come for; what cannot be taken back looks so. */
const lookOf = (name: SaidAct): 'main' | 'danger' | undefined =>
  name === 'resume' ? 'main' : isForGood(name) ? 'danger' : undefined
