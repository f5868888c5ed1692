import { createHmac } from 'node:crypto'
import type { Actor, Status } from './task.ts'
import { canonicalJson } from './canonical-json.ts'
import type { MergeWay } from './delivery/merge.ts'
import type { ForgeKind } from './delivery/pull.ts'
import { parseTaskId, type TaskId } from './ids.ts'
import type { MarkRule } from './marks/mark.ts'

/** What a button decides: one action, at one place where it is offered, about one revision of a task. */
export interface Choice {
  readonly surface: string
  readonly taskId: TaskId
  readonly action: string
  readonly revision: number
  /** What it is shown to do beyond its name, in a canonical form; null where its name says it all. */
  readonly terms: string | null
}

/** A button that was pressed, as its id names it. */
export interface Pressed {
  readonly taskId: TaskId
  readonly action: string
  readonly nonce: string
  /** Six characters that stand for what it was shown to do; null where it was shown nothing. */
  readonly terms: string | null
}

/** What can be decided about a task, and what was decided last. */
export interface Decisions {
  readonly taskId: TaskId
  readonly status: Status
  readonly revision: number
  /** Null where nothing is offered, or not to this caller. */
  readonly offer: Offer | null
  /**
   * What a merge comes to where nothing else is said, by its button or by a command: as it is configured, one of the two ways
   * has the button. Null where this caller cannot merge it now.
   */
  readonly merge: MergeOffer | null
  /** The same of a pull request, for which a place has to be configured. */
  readonly pull: PullOffer | null
  readonly last: Decided | null
}

export interface MergeOffer {
  readonly into: string
  readonly how: MergeWay
  /** The rules of the work's marks, which whoever presses it accepts: they have to be shown beside it. */
  readonly accepts: readonly MarkRule[]
}

export interface PullOffer {
  readonly forge: ForgeKind
  readonly project: string
  readonly into: string
  readonly draft: boolean
  /** As of a merge. */
  readonly accepts: readonly MarkRule[]
}

/** `expired`: past `expiresAt`, epoch ms; deciding by it then is refused and opens a fresh one. */
export interface Offer {
  readonly openedAt: number
  readonly expiresAt: number
  readonly expired: boolean
  readonly choices: readonly { readonly action: string; readonly id: string }[]
}

export interface Decided {
  readonly action: string
  readonly by: Actor
  readonly text: string | null
  readonly at: number
}

/** Eight base64url characters. They are made again whenever they are needed, so that nothing has to hold them. */
export function nonceOf(key: string, { surface, taskId, action, revision }: Omit<Choice, 'terms'>): string {
  const text = canonicalJson([surface, taskId, action, revision])
  return createHmac('sha256', key).update(text).digest('base64url').slice(0, 8)
}

/** Six base64url characters for what a button is shown to do; null where that is nothing but its name. */
export function termsOf(key: string, { surface, terms }: Choice): string | null {
  if (terms === null) return null
  return createHmac('sha256', key)
    .update(canonicalJson(['terms', surface, terms]))
    .digest('base64url')
    .slice(0, 6)
}

/** The id of a button. */
export function decisionId(key: string, choice: Choice): string {
  const terms = termsOf(key, choice)
  const id = `tdec:${choice.taskId}:${choice.action}:${nonceOf(key, choice)}`
  return terms === null ? id : `${id}.${terms}`
}

/** What the id of a button says; null where it is none. */
export function parseDecisionId(text: string): Pressed | null {
  const [, task = '', action = '', nonce = '', terms = null] =
    /^tdec:([a-z2-7]{10}):([a-z_-]{1,20}):([\w-]{8})(?:\.([\w-]{6}))?$/.exec(text) ?? []
  const taskId = parseTaskId(task)
  return taskId === null ? null : { taskId, action, nonce, terms }
}

/** How many buttons that are none an actor may press, and in what time, ms. */
const missLimit = { count: 5, withinMs: 60_000 } as const

/** The misses of an actor that still count, oldest first. */
export function countedMisses(times: readonly number[], now: number): readonly number[] {
  return times.filter((at) => at > now - missLimit.withinMs).slice(-missLimit.count)
}

/** How long an actor with these misses has to wait, ms; 0 where they need not. */
export function missWait(times: readonly number[], now: number): number {
  const counted = countedMisses(times, now)
  const oldest = counted[0]
  if (oldest === undefined || counted.length < missLimit.count) return 0
  return oldest + missLimit.withinMs - now
}
