import type { Millis } from '../brand.ts'
import type { Task, TaskEvent } from '../task.ts'
import type { Letter } from './letter.ts'

/** What a destination is to be told: the kind of news, and the text that is kept until it is sent. */
export interface Composed {
  readonly type: string
  readonly body: string
}

/**
 * What came of an attempt. `passing`: later may be better. `refused`: it is the letter that is not taken, so that fewer
 * attempts are enough. `gone`: nobody is there any more, whatever is sent.
 */
export type Outcome =
  | { readonly kind: 'delivered' }
  | {
      readonly kind: 'failed'
      readonly fault: 'passing' | 'refused' | 'gone'
      /** A sentence for people, without secrets. */
      readonly text: string
      /** The destination wants to be left alone for so long. */
      readonly afterMs?: Millis
    }

/** Somebody who is told of what happens to tasks: a webhook, a channel. */
export interface Destination {
  /** As `<kind>:<name>`; letters are kept under it, so it has to be the same after a restart. */
  readonly name: string
  /**
   * What it is told of an event; null where that is no news for it. Called inside the transaction of the event, so it must
   * not wait, nor throw. `task` is as the event left it.
   */
  compose(event: TaskEvent, task: Task): Composed | null
  /**
   * Sends a letter, at most one at a time, in order. May be called again for one that has arrived: the letter's `id` says
   * so to who receives it. Ends soon after `signal` aborts; what it throws counts as a passing fault.
   */
  deliver(letter: Letter, signal: AbortSignal): Promise<Outcome>
}
