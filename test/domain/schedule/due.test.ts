import { describe, expect, it } from 'vitest'
import { rulingsOf } from '../../../src/domain/schedule/due.ts'
import type { Schedule } from '../../../src/domain/schedule/schedule.ts'
import { aSchedule } from '../../support/schedule.ts'
import { aTime } from '../../support/task.ts'

const minute = 60_000
const quarter = 15 * minute
const day = 24 * 60 * minute

/** What is decided so long after the schedule was made: which runs, in quarters of an hour. */
function due(fields: Partial<Schedule>, after: number) {
  return rulingsOf(aSchedule(fields), aTime + after).map(({ what, plannedAt, text }) => [
    what,
    (plannedAt - aTime) / quarter,
    text,
  ])
}

describe('B27 what is due', () => {
  it.each<[string, Partial<Schedule>, number, unknown[]]>([
    ['nothing before the first time', {}, quarter - 1, []],
    ['a run at its time', {}, quarter, [['run', 1, '']]],
    ['a run in the two minutes after it', {}, quarter + 2 * minute, [['run', 1, '']]],
    ['nothing twice', { decidedTo: aTime + quarter }, quarter + minute, []],
    [
      'one late run for three days: once',
      {},
      3 * day + 5 * minute,
      [
        ['missed', 287, 'At least 99 planned runs were missed: one run makes up for all.'],
        ['run', 288, 'It was missed, and is made up for 5 minutes late.'],
      ],
    ],
    [
      'the run that is due just now for three days: once',
      {},
      3 * day,
      [
        ['missed', 287, 'At least 99 planned runs were missed: one run makes up for all.'],
        ['run', 288, ''],
      ],
    ],
    [
      'no run for an hour: skip',
      { missed: 'skip' },
      4 * quarter + 5 * minute,
      [['missed', 4, '4 planned runs were missed: missed runs are not made up for.']],
    ],
    [
      'a run for each of an hour: all',
      { missed: 'all' },
      2 * quarter + 5 * minute,
      [
        ['run', 1, 'It was missed, and is made up for 20 minutes late.'],
        ['run', 2, 'It was missed, and is made up for 5 minutes late.'],
      ],
    ],
    ['nothing after the clock was put back', { decidedTo: aTime + day }, quarter, []],
  ])('is %s', (_, fields, after, rulings) => {
    expect(due(fields, after)).toEqual(rulings)
  })

  it('is 24 runs at most for three days: all', () => {
    const rulings = due({ missed: 'all' }, 3 * day + 5 * minute)
    expect(rulings.filter(([what]) => what === 'run').map(([, at]) => at)).toEqual(
      Array.from({ length: 24 }, (_, n) => 265 + n),
    )
    expect(rulings[0]).toEqual([
      'missed',
      264,
      'At least 76 planned runs were missed: only the last 24 are made up for.',
    ])
  })
})
