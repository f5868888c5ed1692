import type { Status, Task, TaskEvent } from '../task.ts'
import type { Composed } from './destination.ts'

/**
 * What webhooks can be told: a task has come to a state, a person has discarded it, or what came of a decision to merge it
 * (`unmerged`: nothing, for a reason that the event says) or to undo that (`undo_refused`: it is merged still), or to propose it as a pull request (`unproposed`:
 * there is none, for a reason that the event says), and what became of that.
 */
export const newsTypes = [
  'task.draft',
  'task.pending',
  'task.running',
  'task.validating',
  'task.applied',
  'task.blocked',
  'task.failed',
  'task.timeout',
  'task.stopped',
  'task.rejected',
  'task.discarded',
  'task.merged',
  'task.unmerged',
  'task.undone',
  'task.undo_refused',
  'task.proposed',
  'task.unproposed',
  'task.pull_merged',
  'task.pull_closed',
] as const
export type NewsType = (typeof newsTypes)[number]

const underWay: ReadonlySet<NewsType> = new Set<NewsType>(['task.pending', 'task.running', 'task.validating'])

/** What a webhook is told that does not choose: all that a person may have to look at. */
export const usualNews: readonly NewsType[] = newsTypes.filter((type) => !underWay.has(type))

const typeOfStatus = (status: Status): NewsType => `task.${status.toLowerCase() as Lowercase<Status>}`

/** What an event is as news; null where the task has come to no other state and is offered for no other decision. */
export function newsTypeOf({ type, from, to }: TaskEvent): NewsType | null {
  switch (type) {
    case 'pull_opened':
      return 'task.proposed'
    case 'pull_refused':
      return 'task.unproposed'
    case 'pull_merged':
      return 'task.pull_merged'
    case 'pull_closed':
      return 'task.pull_closed'
    case 'discarded':
      return 'task.discarded'
    case 'merged':
      return 'task.merged'
    case 'undo_refused':
      return 'task.undo_refused'
    case 'merge_refused':
      return 'task.unmerged'
    case 'undone':
      return 'task.undone'
  }
  // Another surface is offered, though the state is the same.
  if (type === 'suggested' && to === 'DRAFT') return 'task.draft'
  return from === to ? null : typeOfStatus(to)
}

/** Bodies stay well under the 20 kB that receivers of Standard Webhooks are told to expect. */
const most = { goal: 1000, text: 4000, answer: 4000 } as const

/** An event as the body of a webhook: `type`, `timestamp` and `data`, as Standard Webhooks have it. */
export function newsOf(event: TaskEvent, task: Task): Composed | null {
  const type = newsTypeOf(event)
  if (type === null) return null
  const { id, kind, status, halt, delivery, outcome, revision, goal, answer } = task
  const { repository, branch, head, budget, spent } = task
  const { seq, at, actor, step, text } = event
  const body = {
    type,
    timestamp: new Date(at).toISOString(),
    data: {
      task: {
        id,
        kind,
        status,
        halt,
        delivery,
        outcome,
        revision,
        goal: beginning(goal, most.goal),
        answer: answer === null ? null : beginning(answer, most.answer),
        repository: repository.path,
        branch,
        head,
        budget,
        spent,
      },
      event: { seq, type: event.type, actor, step, text: beginning(text, most.text) },
    },
  }
  return { type, body: JSON.stringify(body) }
}

function beginning(text: string, length: number): string {
  const letters = Array.from(text)
  return letters.length <= length ? text : `${letters.slice(0, length - 1).join('')}…`
}
