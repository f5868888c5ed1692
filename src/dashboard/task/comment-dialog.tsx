import { useLayoutEffect, useRef } from 'preact/hooks'
import type { Reviewed } from '../../domain/review/review.ts'
import type { Task } from '../../domain/task.ts'
import { post } from '../api.ts'
import { useKept, useSending } from '../hooks.ts'
import { Form, Problem, Send } from '../parts.tsx'
import { type Place, placeName } from './comments.ts'

/** So much of a line is quoted, characters: what is to be said about it has its place on a phone, too. */
const longestQuote = 400

interface CommentDialogProps {
  readonly task: Task
  readonly about: Place
  /** The line as it stands; '' where it is about the whole file. */
  readonly quote: string
  readonly take: (task: Task) => void
  readonly close: () => void
}

/** Asks what is to be said about a line, and puts it on record. What is typed is kept until then. */
export function CommentDialog({ task, about, quote, take, close }: CommentDialogProps) {
  const place = useRef<HTMLDialogElement>(null)
  const { path, line } = about
  const [text, setText] = useKept(`${task.id}:comment:${path}:${line ?? ''}`)
  const sending = useSending()
  // At once: what is typed before it is open goes to what lies beneath it.
  useLayoutEffect(() => place.current?.showModal(), [])
  const send = (): void =>
    sending.send(async () => {
      const request = { comments: [{ path, line, text }] }
      const bound = { 'if-match': `"${task.revision}"` }
      const { task: next } = await post<Reviewed>(`/v1/tasks/${task.id}/reviews`, request, bound)
      setText('')
      take(next)
      place.current?.close()
    })
  return (
    <dialog ref={place} aria-labelledby="comment-title" onClose={close}>
      <Form onSend={send}>
        <h2 id="comment-title">{placeName(about)}</h2>
        {quote.trim() !== '' && <pre class="output">{quote.slice(0, longestQuote)}</pre>}
        <label for="comment-text">What should be changed here?</label>
        <textarea
          id="comment-text"
          rows={4}
          required
          maxLength={4000}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <Problem text={sending.error} />
        <p class="buttons">
          <Send sending={sending} class="main">
            Comment
          </Send>
          <button type="button" onClick={() => place.current?.close()}>
            Later
          </button>
        </p>
      </Form>
    </dialog>
  )
}
