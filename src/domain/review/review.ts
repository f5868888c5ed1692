import { z } from 'zod'
import { budgetRequestSchema } from '../intake.ts'
import type { Change } from '../marks/mark.ts'
import type { Actor, Task, TaskEvent } from '../task.ts'
import { counted, fewOf, jsonText } from '../text.ts'
import { standingReviews } from '../withdrawn.ts'

const longest = 4000
const words = (what: string) =>
  z
    .string(`${what} is text.`)
    // As a pattern, which the document of the API says too.
    .regex(/\S/, `${what} is empty: say something, or leave it out.`)
    .trim()
    .max(longest, `${what} is longer than ${longest.toLocaleString('en')} characters.`)

/** What somebody says about the work of a task, about one place in it. */
const reviewCommentSchema = z.strictObject({
  /** Of a file that the work changes. */
  path: z.string().min(1, 'A comment names the path of a file.').max(4096, 'A path is that long nowhere.'),
  /** As the work leaves the file, from 1; null is all of it. */
  line: z
    .int('A line is a whole number, from 1.')
    .min(1, 'Lines are counted from 1.')
    .nullable()
    .default(null),
  text: words('A comment'),
})
type ReviewComment = z.output<typeof reviewCommentSchema>

/** A look at the work of an applied task, by a person. */
export const reviewRequestSchema = z.strictObject({
  /** About all of it. */
  text: words('The review').nullable().default(null),
  comments: z
    .array(reviewCommentSchema)
    .max(200, 'A review has at most 200 comments: ask for a part of it first.')
    .default([]),
  /** Has another task make the changes, beginning at this one's work. Else what is said stays on record for then. */
  requestChanges: z.boolean('"requestChanges" is true or false.').default(false),
  /** Of that task; what is not named is as for this one. */
  budget: budgetRequestSchema.default({}),
})
export type ReviewRequest = z.output<typeof reviewRequestSchema>

/** What a review says, whenever it was said. */
export type Said = Pick<ReviewRequest, 'text' | 'comments'>

/** What a review came to: the task that was looked at, and the one that makes the changes. */
export interface Reviewed {
  readonly task: Task
  readonly followUp: Task | null
  readonly notes: readonly string[]
}

/** What is kept of a review with its event. */
const saidSchema = z.object({
  text: z.string().nullable(),
  comments: z.array(z.object({ path: z.string(), line: z.int().nullable(), text: z.string() })),
})

/** A review on record that was not withdrawn; `seq` is that of its event. */
export interface OpenReview {
  readonly seq: number
  readonly by: Actor
  readonly said: Said
}

/** Those reviews among the events of a task, in the order in which they were made. */
export function openReviews(events: readonly TaskEvent[]): readonly OpenReview[] {
  return standingReviews(events).flatMap(({ seq, actor, data }) => {
    const read = saidSchema.safeParse(data)
    return read.success ? [{ seq, by: actor, said: read.data }] : []
  })
}

/** How such reviews are named, with what each adds to a goal. */
export function openNames(reviews: readonly OpenReview[]): string {
  return fewOf(
    reviews.map(({ seq, said }) => `${seq} (${counted(reviewText([said], null).length, 'character')})`),
    20,
  )
}

/**
 * What is wrong with comments on this work, a sentence each.
 * @param changes what the work changes, with the content of the files that are commented on; null where that is too much
 */
export function commentProblems(
  comments: readonly ReviewComment[],
  changes: readonly Change[] | null,
): readonly string[] {
  if (changes === null) return []
  return comments.flatMap(({ path, line }) => {
    const change = changes.find((each) => each.path === path)
    if (change === undefined)
      return [`${JSON.stringify(path)} is not among the files that the task has changed.`]
    const lines = linesOf(change)
    if (line === null || lines === null || line <= lines.length) return []
    return [`${JSON.stringify(path)} has ${counted(lines.length, 'line')}, and no line ${line}.`]
  })
}

/** The lines of a file as the work leaves it; null where it is no text, or was not read. */
function linesOf({ after, unread }: Change): readonly string[] | null {
  if (after === null || unread === true) return null
  const lines = after.split('\n')
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

/** The goal of the task that makes the changes: what the other was to do, and what is said about what it did. */
export function followUpGoal(
  { goal }: Pick<Task, 'goal'>,
  said: readonly Said[],
  changes: readonly Change[] | null,
): string {
  return `${goal}\n\nThis was done, and somebody has looked at it: it is what you find. Change what they ask for, and nothing else.\n\n${reviewText(said, changes)}`
}

/** What is said, as a list: the words on the whole, then each comment with its place and the line that it is about. */
export function reviewText(said: readonly Said[], changes: readonly Change[] | null): string {
  const general = said.flatMap(({ text }) => (text === null ? [] : [text]))
  const comments = said.flatMap((each) => each.comments)
  return [
    ...general,
    ...comments.map((comment) => `- ${placeOf(comment)}${quoteOf(comment, changes)}: ${comment.text}`),
  ].join('\n')
}

// Agents choose the names and write the lines: neither may begin a line of its own, or turn the direction of one.
const unseen = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u
const unquotable = /(?!\t)[\p{Cc}\p{Bidi_Control}\u2028\u2029`]/u

function placeOf({ path, line }: ReviewComment): string {
  const name = unseen.test(path) ? jsonText(path) : path
  return line === null ? name : `${name}:${line}`
}

/** The line as it stands, which finds it again when others have moved it; nothing where it would not stay in its quotes. */
function quoteOf({ path, line }: ReviewComment, changes: readonly Change[] | null): string {
  const change = changes?.find((each) => each.path === path)
  const text = change === undefined || line === null ? undefined : linesOf(change)?.[line - 1]?.trim()
  if (text === undefined || text === '' || text.length > 200 || unquotable.test(text)) return ''
  return ` (\`${text}\`)`
}

/** All that was said, as one. */
export function together(said: readonly Said[]): Said {
  const texts = said.flatMap(({ text }) => text ?? [])
  return {
    text: texts.length === 0 ? null : texts.join('\n\n'),
    comments: said.flatMap(({ comments }) => comments),
  }
}
