import type { Millis } from '../brand.ts'
import type { Actor } from '../task.ts'
import type { Letter, LetterAct } from './letter.ts'

export type Acted =
  | { readonly kind: 'changed'; readonly letter: Letter }
  /** A sentence that says what can be done instead. */
  | { readonly kind: 'refused'; readonly text: string }

/** What a person does with a letter. A dead one takes its old place in the order, so it goes out before later ones. */
export function actOnLetter(letter: Letter, act: LetterAct, actor: Actor, now: Millis): Acted {
  const { id, state } = letter
  switch (state) {
    case 'sending':
      return refused(`Letter ${id} is being sent right now: look at it again in a minute.`)
    case 'sent':
      return refused(`Letter ${id} has arrived, so there is nothing to ${act}.`)
    case 'waiting':
    case 'dead':
      return changed(act === 'retry' ? waits(letter, actor, now) : gone(letter, actor, now))
    case 'discarded':
      return act === 'retry'
        ? changed(waits(letter, actor, now))
        : refused(
            `Letter ${id} is discarded already; \`cofferdam outbox retry ${id}\` has it sent after all.`,
          )
  }
}

const changed = (letter: Letter): Acted => ({ kind: 'changed', letter })
const refused = (text: string): Acted => ({ kind: 'refused', text })

const waits = (letter: Letter, actor: Actor, now: Millis): Letter => ({
  ...letter,
  state: 'waiting',
  attempts: 0,
  nextAt: now,
  endedAt: null,
  actor,
})

const gone = (letter: Letter, actor: Actor, now: Millis): Letter => ({
  ...letter,
  state: 'discarded',
  endedAt: now,
  actor,
})
