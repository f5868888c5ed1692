import type { Delivery, Status, Task } from './task.ts'
import { isAtRest, isSettled } from './task.ts'
import { counted } from './text.ts'

/** For how many days something is kept, what a task has left after the last that happened to it; null is for ever. */
export interface Retention {
  /** The worktree of an applied task. */
  readonly worktrees: number | null
  /** What the boxes of an applied or discarded task printed. */
  readonly output: number | null
  /** A halted or rejected task whose work nobody was given. */
  readonly undelivered: number | null
  /** A row of the audit log, and a run of a schedule that became no task. */
  readonly audit: number | null
}

/** What a task has beside its record and its commits. */
export const leftovers = ['worktree', 'output'] as const
export type Leftover = (typeof leftovers)[number]

/** What is to be done about a task because of its age, with the sentence that its events say. */
export type Due =
  | { readonly kind: 'put_away'; readonly what: Leftover; readonly text: string }
  /** The undelivered work goes too. */
  | { readonly kind: 'discard'; readonly text: string }

const dayMs = 86_400_000

/** Rows of the audit log and runs of schedules from before this time are removed, epoch milliseconds; null is none. */
export function auditEnd({ audit }: Retention, now: number): number | null {
  return audit === null ? null : now - audit * dayMs
}

/** The clock as it was looked at last, and for how long a process has run since it leapt ahead, at most a day; both ms. */
export interface ClockSeen {
  readonly at: number
  readonly steadyMs: number
}

/**
 * The same now. A clock that is more than a day ahead of what has gone by may be wrong, or the machine was off.
 * @param before null where it was never looked at, which is no better than a leap
 * @param ranMs for how long the process has run since then; 0 where another one looked
 */
export function clockSeen(before: ClockSeen | null, now: number, ranMs: number): ClockSeen {
  const leapt = before === null || now - before.at - ranMs > dayMs
  return { at: now, steadyMs: leapt ? 0 : Math.min(before.steadyMs + ranMs, dayMs) }
}

/** Whether work may be lost by what the clock says: somebody had a day to see that it is wrong. */
export const isSteady = ({ steadyMs }: ClockSeen): boolean => steadyMs >= dayMs

/** An applied task of these is about to be given to somebody, and the worktree may be wanted for it. */
const underWay: ReadonlySet<Delivery> = new Set<Delivery>(['delivering', 'conflict', 'pr_open'])
const undelivered: ReadonlySet<Status> = new Set<Status>([
  'BLOCKED',
  'FAILED',
  'TIMEOUT',
  'STOPPED',
  'REJECTED',
])

/**
 * What is due for a task. Work that nobody was given is only ever due where `keep.undelivered` says so: until then its
 * worktree stays too, for not all that is in it is in commits.
 * @param has what there is of it on the disk
 * @param now epoch milliseconds
 */
export function dueOf(task: Task, has: ReadonlySet<Leftover>, keep: Retention, now: number): readonly Due[] {
  const isOver = (days: number | null): days is number =>
    days !== null && now - task.updatedAt >= days * dayMs
  const isDiscarded = task.delivery === 'discarded'
  if (!isDiscarded && has.has('worktree') && isAbandoned(task) && isOver(keep.undelivered))
    return [{ kind: 'discard', text: discardText(keep.undelivered) }]
  if (!isAtRest(task)) return []
  const isDelivered = task.status === 'APPLIED' && !underWay.has(task.delivery)
  const due: Due[] = []
  // What a discard leaves is taken away at the next start.
  if (isDelivered && !isDiscarded && has.has('worktree') && isOver(keep.worktrees))
    due.push({ kind: 'put_away', what: 'worktree', text: worktreeText(keep.worktrees) })
  if ((isDelivered || isDiscarded) && has.has('output') && isOver(keep.output))
    due.push({ kind: 'put_away', what: 'output', text: outputText(keep.output) })
  return due
}

/** Also where the disk had no room to keep what a step had done. */
function isAbandoned(task: Task): boolean {
  return undelivered.has(task.status) && isSettled(task)
}

function worktreeText(days: number): string {
  return `The worktree is removed after ${counted(days, 'day')} (keep.worktrees); the commits and the branch stay.`
}

function outputText(days: number): string {
  return `What its boxes printed is removed after ${counted(days, 'day')} (keep.output).`
}

function discardText(days: number): string {
  return `Discarded: nothing has happened to it for ${counted(days, 'day')}, and keep.undelivered in the configuration says to remove undelivered work then, with its worktree.`
}
