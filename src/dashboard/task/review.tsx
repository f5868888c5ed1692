import { useState } from 'preact/hooks'
import type { Reviewed } from '../../domain/review/review.ts'
import type { Task } from '../../domain/task.ts'
import { post, remove } from '../api.ts'
import { useKept, useSending } from '../hooks.ts'
import { go } from '../navigation.tsx'
import { Form, Problem, Send } from '../parts.tsx'
import { useMay, useMayWithdraw } from '../who.ts'
import { nameOf } from '../words.ts'
import { BudgetFields, budgetOf, isBudgetKept, noBudget, useBudget } from './budget-fields.tsx'
import { placeName, type Review as Given } from './comments.ts'
import { isUndelivered } from './delivery-words.ts'

/** Whether this person may be able to say something about the work of a task; each try is judged by the server. */
export function useReviewing(task: Task): boolean {
  return useMay('start') && isUndelivered(task)
}

interface ReviewProps {
  readonly task: Task
  /** What changes are requested for. */
  readonly reviews: readonly Given[]
  readonly take: (task: Task) => void
}

/** Has another task make the changes that were asked for: by the comments on record, and by words about all of it. */
export function Review({ task, reviews, take }: ReviewProps) {
  const name = `${task.id}:review`
  const [text, setText] = useKept(name)
  const [budget, setBudget] = useBudget(name)
  const [hasBudget] = useState(() => isBudgetKept(name))
  const sending = useSending()
  const send = (): void =>
    sending.send(async () => {
      const request = {
        text: text.trim() === '' ? null : text,
        requestChanges: true,
        budget: budgetOf(budget),
      }
      const bound = { 'if-match': `"${task.revision}"` }
      const reviewed = await post<Reviewed>(`/v1/tasks/${task.id}/reviews`, request, bound)
      setText('')
      setBudget(noBudget)
      take(reviewed.task)
      if (reviewed.followUp !== null) go({ page: 'task', id: reviewed.followUp.id, view: 'overview' })
    })
  return (
    <section aria-labelledby="review">
      <h2 id="review">Review</h2>
      {reviews.length > 0 && (
        <ul>
          {reviews.map((review) => (
            <OnRecord key={review.seq} task={task} review={review} take={take} />
          ))}
        </ul>
      )}
      <Form label="Review" onSend={send}>
        <p class="faint">
          Press the number of a line to comment on it: that stays on record. Another task makes the changes;
          it begins with this work, and takes its place.
        </p>
        <label for="review-text">What should be changed? (may stay empty where lines have comments)</label>
        <textarea
          id="review-text"
          rows={3}
          maxLength={4000}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <details open={hasBudget}>
          <summary>Budget of the task that makes the changes</summary>
          <BudgetFields name="review" texts={budget} onChange={setBudget} />
          <p class="faint">What stays empty is as for this task.</p>
        </details>
        <Problem text={sending.error} />
        <Send sending={sending} class="main">
          Request changes
        </Send>
      </Form>
    </section>
  )
}

/** What somebody said, which they or an owner can take back. */
function OnRecord({ task, review, take }: Pick<ReviewProps, 'task' | 'take'> & { readonly review: Given }) {
  const { seq, by, text, comments } = review
  const mayWithdraw = useMayWithdraw()
  const sending = useSending()
  const withdraw = (): void =>
    sending.send(async () => take(await remove<Task>(`/v1/tasks/${task.id}/reviews/${seq}`)))
  return (
    <li>
      <p class="faint">{nameOf(by)}:</p>
      {text !== null && <p class="words">{text}</p>}
      {comments.map((comment, index) => (
        <p key={index}>
          <strong>{placeName(comment)}:</strong> <span class="words">{comment.text}</span>
        </p>
      ))}
      {mayWithdraw(by) && (
        <button type="button" disabled={sending.busy} onClick={withdraw}>
          Withdraw review {seq}
        </button>
      )}
      <Problem text={sending.error} />
    </li>
  )
}
