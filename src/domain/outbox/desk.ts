import type { Caller } from '../caller.ts'
import type { Letter, LetterAct, LetterFilter } from './letter.ts'

/** What people can see of the outbox, and do about it. Methods throw `Failure('not_found' | 'not_allowed' | 'conflict')`. */
export interface OutboxDesk {
  /** Newest first. */
  letters(filter: LetterFilter): readonly Letter[]
  letter(id: string): Letter
  /** Has a letter tried again, at once and with all its attempts, or gives it up for good. */
  act(id: string, act: LetterAct, caller: Caller): Letter
}
