import { createHash } from 'node:crypto'
import type { Millis } from '../brand.ts'
import { base32, type TaskId } from '../ids.ts'
import type { Actor } from '../task.ts'

/**
 * `waiting` for its turn or its next attempt, `sending` under a lease, and at its end `sent`, `dead` (given up, until a
 * person has it tried again) or `discarded` by a person.
 */
export const letterStates = ['waiting', 'sending', 'sent', 'dead', 'discarded'] as const
export type LetterState = (typeof letterStates)[number]

/** What one destination is told of one event of a task. Written with the event, sent at least once. */
export interface Letter {
  /** The same at every attempt, so that who receives it twice can tell: at most 25 characters. */
  readonly id: string
  /** The order in which letters were written; each destination gets its own in it. */
  readonly seq: number
  /** As `<kind>:<name>`. */
  readonly destination: string
  readonly taskId: TaskId
  /** The `seq` of the event. */
  readonly event: number
  /** What it tells, such as `task.applied`. */
  readonly type: string
  /** What is sent, as the destination has composed it. */
  readonly body: string
  readonly state: LetterState
  /** Attempts that were begun, since a person had it tried again. */
  readonly attempts: number
  /** Rises with each attempt: what comes of one under an old fence is not written. */
  readonly fence: number
  /** Of the last attempt. */
  readonly error: string | null
  readonly createdAt: Millis
  /** Of the next attempt, where it waits. */
  readonly nextAt: Millis
  readonly leaseUntil: Millis | null
  /** When it was sent, given up or discarded. */
  readonly endedAt: Millis | null
  /** Who had it tried again, or discarded it, last. */
  readonly actor: Actor | null
}

/** A letter as it is written first. */
export type NewLetter = Pick<
  Letter,
  'id' | 'destination' | 'taskId' | 'event' | 'type' | 'body' | 'createdAt'
>

/** What is to be known of an event to name a letter about it. */
export interface LetterOrigin {
  readonly destination: string
  readonly taskId: TaskId
  readonly seq: number
  readonly at: Millis
}

/**
 * The id of what a destination is told of an event. The time is part of it: after a restore another event may have the
 * same number.
 */
export function letterId({ destination, taskId, seq, at }: LetterOrigin): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([destination, taskId, seq, at]))
    .digest()
  return `msg_${base32(hash.subarray(0, 20))}`
}

/** Which letters are meant. Every field that is given narrows it. */
export interface LetterFilter {
  readonly states?: readonly LetterState[]
  readonly destination?: string
  readonly task?: TaskId
  /** Those that were written before this one (its `seq`). */
  readonly before?: number
  /** At most this many. */
  readonly limit?: number
}

/** What a person can do with a letter. */
export type LetterAct = 'retry' | 'discard'
