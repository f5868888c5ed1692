import type { Refusal } from './delivery/refusal.ts'
import type { MarkRule } from './marks/mark.ts'
import type { Delivery, Status, Task } from './task.ts'

/** What the words of a task are made of; a list of hits knows less of it than a task's own page. */
export type Standing = Pick<Task, 'kind' | 'status' | 'delivery'> &
  Partial<Pick<Task, 'halt' | 'outcome' | 'phase' | 'merge' | 'pull'>>

/** States in which a task rests until a person says how it goes on. */
const waits: ReadonlySet<Status> = new Set<Status>(['DRAFT', 'BLOCKED', 'FAILED', 'TIMEOUT'])
/** The same of deliveries, besides those that were refused and have left nothing. */
const isStuck: ReadonlySet<Delivery> = new Set<Delivery>(['conflict', 'rejected', 'pr_closed'])

/** Whether a person has to say how it goes on: the one list of them, for the board as for Discord. */
export function needsPerson(task: Standing): boolean {
  const { status, delivery } = task
  if (delivery === 'discarded') return false
  if (status !== 'APPLIED') return waits.has(status)
  return isStuck.has(delivery) || (delivery === 'none' && refusalOf(task) !== null) || isUnfollowed(task)
}

/** Whether its pull request is open, as far as is known, and nobody looks at what becomes of it. */
const isUnfollowed = ({ delivery, pull }: Pick<Standing, 'delivery' | 'pull'>): boolean =>
  delivery === 'pr_open' && pull?.unfollowed != null

/** Why its last delivery came to nothing; null where it did not. Older ones have it in their state alone. */
export function refusalOf({
  delivery,
  merge,
  pull,
}: Pick<Standing, 'delivery' | 'merge' | 'pull'>): Refusal | null {
  const said = merge?.refusal ?? pull?.refusal ?? null
  if (said !== null) return said
  if (delivery === 'rejected') return 'test'
  return delivery === 'conflict' ? 'conflict' : null
}

/** What of a task's work an owner has to name to have it delivered. What nobody has looked at is unread. */
export function rulesOf({ marks }: Pick<Task, 'marks'>): readonly MarkRule[] {
  return marks === null ? ['unread'] : [...new Set(marks.map(({ rule }) => rule))]
}

/** Whether its last delivery is or was to be a pull request. */
export function isProposal({ merge, pull }: Pick<Standing, 'merge' | 'pull'>): boolean {
  return (pull?.at ?? -1) > (merge?.at ?? -1)
}

/** How its last delivery stands or ended, in a sentence; null where there was none, or it matters no more. */
export function deliverySaid(task: Pick<Task, 'delivery' | 'merge' | 'pull'>): string | null {
  const { delivery } = task
  if (delivery === 'superseded' || delivery === 'discarded') return null
  const said = (isProposal(task) ? task.pull : task.merge)?.said ?? null
  const unfollowed = delivery === 'pr_open' ? (task.pull?.unfollowed ?? null) : null
  return unfollowed === null ? said : [said, `It is not followed: ${unfollowed}`].filter(Boolean).join(' ')
}

/** Where these words are said, nobody asks whether the work was applied. */
const sayAll: ReadonlySet<Delivery> = new Set<Delivery>([
  'delivering',
  'merged',
  'pr_open',
  'pr_merged',
  'discarded',
])

/**
 * How a task stands, in words for people: its state and what has become of its work, such as `running`, `blocked (no
 * change)`, `applied, untested, conflicts with main` and `merged into main`.
 * @param spelled how a state is spelled by itself
 */
export function standingOf(
  task: Standing,
  spelled = (status: Task['status']) => status.toLowerCase(),
): string {
  const { kind, status, halt = null, outcome = null, delivery } = task
  if (delivery === 'discarded') return 'discarded'
  const state = kind === 'question' && status === 'APPLIED' ? 'answered' : spelled(status)
  const why =
    halt === null || halt.reason === status.toLowerCase() ? '' : ` (${halt.reason.replaceAll('_', ' ')})`
  const work = workOf(task)
  return [
    work !== null && sayAll.has(delivery) ? work : `${state}${why}`,
    ...(status === 'APPLIED' && outcome === 'untested' ? ['untested'] : []),
    ...(work === null || sayAll.has(delivery) ? [] : [work]),
  ].join(', ')
}

/** What has become of a task's work, such as `merged into main`; null where nothing has yet. */
export function workOf(task: Standing): string | null {
  const { delivery, phase = null, merge = null, pull = null } = task
  const into = merge?.into ?? 'its branch'
  const refusal = refusalOf(task)
  switch (delivery) {
    case 'none':
      if (refusal === null) return null
      return isProposal(task) ? `not proposed for ${pull?.into}` : `not merged into ${into}`
    case 'delivering':
      if (phase === 'undo') return `merge into ${into} being undone`
      return isProposal(task) ? 'being proposed as a pull request' : `being merged into ${into}`
    case 'merged':
      return `merged into ${into}`
    case 'undone':
      return `merge into ${into} undone`
    case 'conflict':
      return refusal === 'diverged' ? `left behind by ${into}` : `conflicts with ${into}`
    case 'rejected':
      return refusal === 'setup' ? `fails its setup on ${into}` : `fails its test on ${into}`
    case 'pr_open':
      return `${pull?.draft === true ? 'draft of a pull request' : 'pull request'} open${pull?.unfollowed == null ? '' : ', not followed'}`
    case 'pr_merged':
      return 'pull request merged'
    case 'pr_closed':
      return 'pull request closed'
    case 'superseded':
      return 'superseded by another task'
    case 'discarded':
      return 'discarded'
  }
}
