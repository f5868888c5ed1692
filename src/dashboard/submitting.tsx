import { useEffect, useRef, useState } from 'preact/hooks'
import type { Submitted } from '../domain/submitted.ts'
import type { RiskReason } from '../domain/task.ts'
import { newKey, post } from './api.ts'
import { Link } from './navigation.tsx'
import { State } from './parts.tsx'

/** Sends submissions. The same one sent again, as when no answer came, makes no second task; another has another key. */
export function useSubmitting(path: string) {
  const [submitted, setSubmitted] = useState<Submitted | null>(null)
  const key = useRef({ name: newKey(), about: '' })
  const submit = async (request: object): Promise<Submitted> => {
    const about = JSON.stringify(request)
    if (key.current.about !== about) key.current = { name: newKey(), about }
    const answer = await post<Submitted>(path, request, { 'idempotency-key': key.current.name })
    key.current = { name: newKey(), about: '' }
    setSubmitted(answer)
    return answer
  }
  return { submitted, submit }
}

/** What the risk gate made of a submission. */
export function Answer({ submitted: { task, notes } }: { readonly submitted: Submitted }) {
  const title = useRef<HTMLHeadingElement>(null)
  // On a phone the button is far below: whoever pressed it sees that something came of it.
  useEffect(() => title.current?.focus(), [task.id])
  return (
    <section class="decision" aria-labelledby="submitted" role="status">
      <h2 id="submitted" ref={title} tabIndex={-1}>
        <Link to={{ page: 'task', id: task.id, view: 'overview' }}>Task {task.id}</Link> <State task={task} />
      </h2>
      {task.status === 'DRAFT' && <Reasons risks={task.risks} />}
      <Notes notes={notes} />
    </section>
  )
}

export function Reasons({ risks }: { readonly risks: readonly RiskReason[] }) {
  return (
    <>
      <p>It wants a person, because:</p>
      <ul>
        {risks.map(({ rule, text }) => (
          <li key={`${rule} ${text}`}>{text}</li>
        ))}
      </ul>
    </>
  )
}

export function Notes({ notes }: { readonly notes: readonly string[] }) {
  if (notes.length === 0) return null
  return (
    <>
      <p>To know:</p>
      <ul>
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </>
  )
}
