import { Failure } from '../../src/domain/failure.ts'
import { actOnLetter } from '../../src/domain/outbox/act.ts'
import type { OutboxDesk } from '../../src/domain/outbox/desk.ts'
import { letterActRefusal } from '../../src/domain/rights.ts'
import type { OutboxRows } from '../store/outbox.ts'

export interface DeskDeps {
  readonly outbox: OutboxRows
  /** The names of those that are configured. */
  readonly destinations: ReadonlySet<string>
  readonly clock: () => number
  /** There is something to send. */
  readonly wake: () => void
}

/** Where people look at letters, and do something about them. */
export function outboxDesk({ outbox, destinations, clock, wake }: DeskDeps): OutboxDesk {
  const letter: OutboxDesk['letter'] = (id) => {
    const found = outbox.letter(id)
    if (found !== null) return found
    throw new Failure(
      'not_found',
      `There is no letter ${id}: \`cofferdam outbox list\` shows those there are.`,
    )
  }
  return {
    letter,
    letters: (filter) => outbox.letters(filter),

    act(id, act, caller) {
      const before = letter(id)
      const refused = letterActRefusal(caller, act)
      if (refused !== null) throw new Failure('not_allowed', refused)
      if (act === 'retry' && !destinations.has(before.destination))
        throw new Failure(
          'conflict',
          `No destination ${before.destination} is configured: put it back into the configuration, or discard the letter.`,
        )
      const acted = actOnLetter(before, act, caller.actor, clock())
      if (acted.kind === 'refused') throw new Failure('conflict', acted.text)
      if (!outbox.move(before, acted.letter))
        throw new Failure('conflict', `Letter ${id} has changed meanwhile: look at it and try again.`)
      wake()
      return acted.letter
    },
  }
}
