import { standingReviews } from '../../domain/withdrawn.ts'
import type { Actor, TaskEvent } from '../../domain/task.ts'
import { nameOf, nameText } from '../words.ts'

/** A place in the work: a line as it leaves a file, from 1; null is the whole file. */
export interface Place {
  readonly path: string
  readonly line: number | null
}

/** What somebody has said about a place. */
export interface Comment extends Place {
  readonly text: string
  readonly by: string
}

/** A review on record that was not withdrawn, by the `seq` of its event. */
export interface Review {
  readonly seq: number
  readonly by: Actor
  /** About all of the work. */
  readonly text: string | null
  readonly comments: readonly Comment[]
}

/** The reviews that a task is made for when changes are requested, in the order in which they were made. */
export function reviewsIn(events: readonly TaskEvent[]): readonly Review[] {
  return standingReviews(events).map((event) => {
    const text = event.data['text']
    return {
      seq: event.seq,
      by: event.actor,
      text: typeof text === 'string' ? text : null,
      comments: commentsOf(event),
    }
  })
}

/** The comments that were not withdrawn, in the order in which they were made. A request for changes holds all that were made before. */
export function commentsIn(events: readonly TaskEvent[]): readonly Comment[] {
  const all = standingReviews(events).flatMap(commentsOf)
  const known = new Set(
    events
      .filter(({ type }) => type === 'reviewed')
      .flatMap(commentsOf)
      .map(keyOf),
  )
  const last = events.filter(({ type }) => type === 'superseded').flatMap(commentsOf)
  return [...all, ...last.filter((comment) => !known.has(keyOf(comment)))]
}

function commentsOf({ data, actor }: TaskEvent): readonly Comment[] {
  const found = data['comments']
  if (!Array.isArray(found)) return []
  return found.flatMap((each: unknown) => {
    if (typeof each !== 'object' || each === null) return []
    const { path, line, text } = each as Readonly<Record<string, unknown>>
    const isComment =
      typeof path === 'string' && typeof text === 'string' && (line === null || typeof line === 'number')
    return isComment ? [{ path, line, text, by: nameOf(actor) }] : []
  })
}

const keyOf = ({ path, line, text }: Comment): string => JSON.stringify([path, line, text])

export const placeName = ({ path, line }: Place): string =>
  line === null ? nameText(path) : `${nameText(path)}, line ${line}`
