import type { Caller } from '../../src/domain/caller.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { openNames, type OpenReview, openReviews } from '../../src/domain/review/review.ts'
import { withdrawalRefusal } from '../../src/domain/rights.ts'
import type { Task, TaskEvent } from '../../src/domain/task.ts'
import type { Store } from '../store/store.ts'
import type { Tasks } from '../tasks.ts'

interface WithdrawDeps {
  readonly store: Pick<Store, 'events'>
  readonly tasks: Tasks
}

/**
 * Takes back what was said in one review, so that no task is made for it: its event stays, and another one says this. Throws
 * `Failure`: `not_allowed`, `not_found` where there is no such review or it is withdrawn already, `conflict`.
 * @param seq of the event of the review
 */
export function withdraw({ store, tasks }: WithdrawDeps, id: TaskId, seq: number, caller: Caller): Task {
  const task = tasks.get(id)
  const reviews = reviewsOf(store, id)
  const review = reviews.find((each) => each.seq === seq)
  const refused = withdrawalRefusal(caller, task, review?.by ?? null)
  if (refused !== null) throw new Failure('not_allowed', refused)
  if (review === undefined) {
    const there = reviews.length === 0 ? 'there is none' : `there is ${openNames(reviews)}`
    throw new Failure('not_found', `Task ${id} has no review ${seq} to be withdrawn: ${there}.`)
  }
  const along = () => ({ data: { review: seq } })
  return tasks.act(id, { type: 'review_withdrawn', review: seq }, caller.actor, along)
}

/** What was said of this work and is not withdrawn, in the order in which it was said. */
export function reviewsOf(store: Pick<Store, 'events'>, id: TaskId): readonly OpenReview[] {
  const found: TaskEvent[] = []
  for (let after = 0; ;) {
    const events = store.events(id, after, 1000)
    found.push(...events.filter(({ type }) => type === 'reviewed' || type === 'review_withdrawn'))
    const last = events.at(-1)
    if (last === undefined) return openReviews(found)
    after = last.seq
  }
}
