import { expect, it } from 'vitest'
import { actOnLetter } from '../../../src/domain/outbox/act.ts'
import type { LetterAct, LetterState } from '../../../src/domain/outbox/letter.ts'
import { aLetter } from '../../support/letters.ts'
import { aPerson, aTime } from '../../support/task.ts'

it.each<[LetterState, LetterAct, LetterState | RegExp]>([
  ['waiting', 'retry', 'waiting'],
  ['waiting', 'discard', 'discarded'],
  ['sending', 'retry', /is being sent right now: look at it again/],
  ['sending', 'discard', /is being sent right now: look at it again/],
  ['sent', 'retry', /has arrived, so there is nothing to retry/],
  ['sent', 'discard', /has arrived, so there is nothing to discard/],
  ['dead', 'retry', 'waiting'],
  ['dead', 'discard', 'discarded'],
  ['discarded', 'retry', 'waiting'],
  ['discarded', 'discard', /is discarded already; `cofferdam outbox retry msg_/],
])('a letter that is %s, %s: %s', (state, act, expected) => {
  const letter = aLetter({ state, attempts: 16, error: 'No.', endedAt: aTime })
  const acted = actOnLetter(letter, act, aPerson, aTime + 1)
  if (acted.kind === 'refused') return expect(acted.text).toMatch(expected)
  const ended = expected === 'discarded'
  const changes = ended ? { endedAt: aTime + 1 } : { endedAt: null, nextAt: aTime + 1, attempts: 0 }
  return expect(acted.letter).toEqual({ ...letter, state: expected, actor: aPerson, ...changes })
})
