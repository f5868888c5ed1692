import type { TaskEvent } from './task.ts'

/** The reviews among the events of a task that were not withdrawn, in the order in which they were made. */
export function standingReviews(events: readonly TaskEvent[]): readonly TaskEvent[] {
  const withdrawn = new Set(
    events.flatMap(({ type, data }) => (type === 'review_withdrawn' ? [data['review']] : [])),
  )
  return events.filter(({ type, seq }) => type === 'reviewed' && !withdrawn.has(seq))
}
