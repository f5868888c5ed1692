import type { Millis } from '../brand.ts'
import type { Outcome } from './destination.ts'
import type { Letter } from './letter.ts'

export interface Patience {
  /** So many attempts, then it is a dead letter. */
  readonly attempts: number
  /** The same where the letter itself is refused: it holds up those behind it. */
  readonly refusals: number
  /** The first pause, ms; each further one is `factor` times as long, up to `mostMs`. */
  readonly firstMs: Millis
  readonly factor: number
  readonly mostMs: Millis
  /** The longest pause that a destination is given because it asks for one, ms. */
  readonly askedMostMs: Millis
}

const hour = 3_600_000

/** Sixteen attempts over two days; four pauses of three minutes together where the letter is refused. */
export const usualPatience: Patience = {
  attempts: 16,
  refusals: 5,
  firstMs: 5000,
  factor: 3,
  mostMs: 6 * hour,
  askedMostMs: 24 * hour,
}

/**
 * The pause after so many attempts: exponential with a cap, of which the upper half is left to chance, so that many who
 * failed together do not come back together.
 * @param random from 0 to 1
 */
export function pauseMs(attempts: number, random: number, patience: Patience): Millis {
  const { firstMs, factor, mostMs } = patience
  const whole = Math.min(mostMs, firstMs * factor ** Math.max(0, attempts - 1))
  return Math.round(whole / 2 + (whole / 2) * random)
}

/** The letter after an attempt at it. */
export function afterAttempt(
  letter: Letter,
  outcome: Outcome,
  now: Millis,
  random: number,
  patience: Patience = usualPatience,
): Letter {
  if (outcome.kind === 'delivered')
    return { ...letter, state: 'sent', error: null, leaseUntil: null, endedAt: now }
  const { fault, text: error, afterMs = 0 } = outcome
  const most = fault === 'refused' ? patience.refusals : patience.attempts
  if (fault === 'gone' || letter.attempts >= most)
    return { ...letter, state: 'dead', error, leaseUntil: null, endedAt: now }
  const pause = Math.max(pauseMs(letter.attempts, random, patience), Math.min(afterMs, patience.askedMostMs))
  return { ...letter, state: 'waiting', error, leaseUntil: null, nextAt: now + pause }
}

/** The letter after an attempt that this process broke off itself, which is not held against it. */
export function afterBreak(letter: Letter, now: Millis): Letter {
  return { ...letter, state: 'waiting', attempts: letter.attempts - 1, leaseUntil: null, nextAt: now }
}
