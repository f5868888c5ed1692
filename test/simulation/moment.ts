import type { EventRow, View } from './view.ts'

/** One write to a task: how it was, how it is, and whose write it was. */
export interface Moment {
  /** The number of the process that wrote. */
  readonly writer: number
  /** Null for its birth. */
  readonly before: View | null
  readonly now: View
  /** What was written with it; null for a heartbeat. */
  readonly event: EventRow | null
  /** Which process claimed the task under this fence. */
  readonly claimedBy: (fence: number) => number | null
}

/** What has to hold of every write: what is wrong with this one, or null. */
export type Invariant = (moment: Moment) => string | null
