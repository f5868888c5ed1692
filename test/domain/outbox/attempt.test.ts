import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { afterAttempt, afterBreak, pauseMs, usualPatience } from '../../../src/domain/outbox/attempt.ts'
import type { Outcome } from '../../../src/domain/outbox/destination.ts'
import { aLetter } from '../../support/letters.ts'
import { aTime } from '../../support/task.ts'

const hour = 3_600_000
const failed = (fault: 'passing' | 'refused' | 'gone', afterMs?: number): Outcome => ({
  kind: 'failed',
  fault,
  text: 'No.',
  ...(afterMs === undefined ? {} : { afterMs }),
})
const sending = (attempts: number) =>
  aLetter({ state: 'sending', attempts, fence: attempts, leaseUntil: aTime + 30_000 })
const after = (attempts: number, outcome: Outcome, random = 1) =>
  afterAttempt(sending(attempts), outcome, aTime, random)

describe('after an attempt a letter', () => {
  it('is sent where it was taken', () => {
    expect(after(3, { kind: 'delivered' })).toMatchObject({
      state: 'sent',
      error: null,
      leaseUntil: null,
      endedAt: aTime,
    })
  })

  it.each([
    [1, 0, 2500],
    [1, 1, 5000],
    [2, 1, 15_000],
    [3, 1, 45_000],
    [8, 1, 5000 * 3 ** 7],
    [9, 1, 6 * hour],
    [15, 0, 3 * hour],
  ])('waits after attempt %i (chance %i) for %i ms', (attempts, random, pause) => {
    expect(after(attempts, failed('passing'), random)).toMatchObject({
      state: 'waiting',
      error: 'No.',
      nextAt: aTime + pause,
      leaseUntil: null,
      endedAt: null,
    })
  })

  it.each([
    ['passing', 15, 'waiting'],
    ['passing', 16, 'dead'],
    ['refused', 4, 'waiting'],
    ['refused', 5, 'dead'],
    ['refused', 9, 'dead'],
    ['gone', 1, 'dead'],
  ] as const)('whose fault is %s is after attempt %i %s', (fault, attempts, state) => {
    expect(after(attempts, failed(fault))).toMatchObject({ state, error: 'No.' })
  })

  it.each([
    [60_000, 60_000],
    [1, 5000],
    [365 * 24 * hour, 24 * hour],
  ])('is left alone for the %i ms that were asked for: %i', (asked, pause) => {
    expect(after(1, failed('passing', asked)).nextAt).toBe(aTime + pause)
  })

  it('that was broken off has lost no attempt', () => {
    expect(afterBreak(sending(3), aTime)).toEqual(
      aLetter({ state: 'waiting', attempts: 2, fence: 3, nextAt: aTime }),
    )
  })
})

it('pauses grow up to a cap, and chance takes at most half of each', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (n, random) => {
        const pause = pauseMs(n, random, usualPatience)
        const whole = pauseMs(n, 1, usualPatience)
        expect(pause).toBeLessThanOrEqual(whole)
        expect(pause).toBeGreaterThanOrEqual(whole / 2 - 1)
        expect(whole).toBeLessThanOrEqual(pauseMs(n + 1, 1, usualPatience))
        expect(whole).toBeLessThanOrEqual(usualPatience.mostMs)
      },
    ),
  )
})
