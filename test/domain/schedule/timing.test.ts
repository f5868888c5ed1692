import { describe, expect, it } from 'vitest'
import type { Timing } from '../../../src/domain/schedule/schedule.ts'
import { nextAfter, timesBetween, timingProblem } from '../../../src/domain/schedule/timing.ts'

const cron = (pattern: string, timezone = 'Europe/Berlin'): Timing => ({
  kind: 'cron',
  cron: pattern,
  timezone,
})
const at = (text: string): number => Date.parse(text)

/** The planned times of a span, as the clock of the zone shows them. */
function localTimes(
  pattern: string,
  from: string,
  to: string,
  timezone = 'Europe/Berlin',
): readonly string[] {
  const clock = new Intl.DateTimeFormat('sv', { timeZone: timezone, dateStyle: 'short', timeStyle: 'short' })
  return timesBetween(cron(pattern, timezone), at(from), at(to), 10_000).times.map((time) =>
    clock.format(time),
  )
}

describe('B27 planned times', () => {
  it.each([
    [
      'forward, in spring',
      '2026-03-27T12:00:00Z',
      '2026-03-31T22:00:00Z',
      ['2026-03-27', '2026-03-30', '2026-03-31'],
    ],
    [
      'back, in autumn',
      '2026-10-23T11:00:00Z',
      '2026-10-27T23:00:00Z',
      ['2026-10-23', '2026-10-26', '2026-10-27'],
    ],
  ])('have each local quarter of an hour once when the clock goes %s', (_, from, to, days) => {
    const shown = localTimes('*/15 9-17 * * 1-5', from, to)
    expect(new Set(shown).size).toBe(shown.length)
    for (const day of days.slice(1)) {
      const quarters = Array.from(
        { length: 36 },
        (_, n) =>
          `${day} ${String(9 + Math.floor(n / 4)).padStart(2, '0')}:${['00', '15', '30', '45'][n % 4]}`,
      )
      expect(shown.filter((time) => time.startsWith(day))).toEqual(quarters)
    }
    expect(new Set(shown.map((time) => time.slice(0, 10)))).toEqual(new Set(days))
  })

  it('have a local time once that comes twice', () => {
    const shown = localTimes('*/15 * * * *', '2026-10-24T23:00:00Z', '2026-10-25T03:00:00Z')
    expect(shown.filter((time) => time.includes(' 02:'))).toEqual([
      '2026-10-25 02:00',
      '2026-10-25 02:15',
      '2026-10-25 02:30',
      '2026-10-25 02:45',
    ])
  })

  it('have a local time that is left out so much later', () => {
    expect(localTimes('30 2 * * *', '2026-03-28T12:00:00Z', '2026-03-30T12:00:00Z')).toEqual([
      '2026-03-29 03:30',
      '2026-03-30 02:30',
    ])
  })

  it.each(['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC'])(
    'only go on, from any minute, in %s',
    (timezone) => {
      for (const day of [
        '2026-03-08',
        '2026-03-29',
        '2026-04-04',
        '2026-10-03',
        '2026-10-25',
        '2026-11-01',
      ]) {
        for (let from = at(`${day}T00:00:00Z`); from < at(`${day}T18:00:00Z`); from += 7 * 60_000) {
          expect(nextAfter(cron('*/15 * * * *', timezone), from)).toBeGreaterThan(from)
        }
      }
    },
  )

  it('of an interval are counted from its start, and are never before it', () => {
    const every: Timing = { kind: 'every', every: '6h', from: at('2026-03-29T00:00:00Z') }
    expect(nextAfter(every, every.from)).toBe(at('2026-03-29T06:00:00Z'))
    expect(nextAfter(every, at('2026-03-29T06:00:00Z'))).toBe(at('2026-03-29T12:00:00Z'))
    expect(nextAfter(every, at('2020-01-01T00:00:00Z'))).toBe(at('2026-03-29T06:00:00Z'))
  })

  it('of a long absence are the newest few, soon found', () => {
    const { times, more } = timesBetween(
      cron('* * * * *'),
      at('2000-01-01T00:00:00Z'),
      at('2026-01-01T00:00:30Z'),
      3,
    )
    expect(more).toBe(true)
    expect(times.map((time) => new Date(time).toISOString().slice(0, 16))).toEqual([
      '2025-12-31T23:58',
      '2025-12-31T23:59',
      '2026-01-01T00:00',
    ])
  })
})

describe('a timing', () => {
  const now = at('2026-01-01T00:00:00Z')
  it.each<[string, Timing, RegExp | null]>([
    ['a pattern', cron('*/15 9-17 * * 1-5'), null],
    ['a name', cron('@daily'), null],
    ['the last day of a month', cron('0 0 L * *'), null],
    ['a day that never comes', cron('0 0 30 2 *'), /fits no day/],
    ['a minute that there is not', cron('60 * * * *'), /cannot be read/],
    ['seconds', cron('* * * * * *'), /cannot be read/],
    ['no pattern', cron('soon'), /cannot be read/],
    ['a zone that there is not', cron('@daily', 'Europe/Atlantis'), /no time zone "Europe\/Atlantis"/],
    ['an offset', cron('@daily', '+02:00'), /no time zone/],
    ['an interval', { kind: 'every', every: '90m', from: 0 }, null],
    ['too short an interval', { kind: 'every', every: '0m', from: 0 }, /from 1m to 366d/],
    ['too long an interval', { kind: 'every', every: '367d', from: 0 }, /from 1m to 366d/],
  ])('of %s', (_, timing, problem) => {
    const said = timingProblem(timing, now)
    if (problem === null) expect(said).toBeNull()
    else expect(said).toMatch(problem)
  })
})
