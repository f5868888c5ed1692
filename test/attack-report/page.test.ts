import { describe, expect, it } from 'vitest'
import { page, sum, whyNotPublished } from '../attack/report/page.ts'
import { type Ran, type Row, rowsOf } from '../attack/report/row.ts'

const ran = (name: string, overrides: Partial<Ran> = {}): Ran => ({
  name,
  state: 'passed',
  account: { tried: 'Tried it.', happened: ['Refused.'] },
  note: null,
  errors: [],
  ...overrides,
})
const passed = ran('A001 read')
const skipped = ran('A002 write', { state: 'skipped', note: 'No such disk here.' })
const failed = ran('A003 rename', { state: 'failed', errors: ['It was renamed.'] })

const whyOf = (all: readonly Ran[], wanted: readonly string[], filters: readonly string[] = []) =>
  whyNotPublished(rowsOf(all, wanted), filters)

describe('a report is published', () => {
  it.each<[string, readonly Ran[], readonly string[], readonly string[], string | null]>([
    ['where all passed', [passed], ['A001'], [], null],
    ['where one skipped itself and says why', [passed, skipped], ['A001', 'A002'], [], null],
    ['not where one failed', [passed, failed], ['A001', 'A003'], [], 'Not published: A003 failed.'],
    ['not where one never ran', [passed], ['A001', 'A004'], [], 'Not published: A004 failed.'],
    ['not where one never began', [ran('A005 x', { state: 'pending' })], [], [], 'A005 failed.'],
    [
      'not of some files alone',
      [passed],
      [],
      ['test/attack/git.test.ts'],
      'only test/attack/git.test.ts ran',
    ],
    ['not where none ran', [], [], [], 'no case ran'],
  ])('%s', (_, all, wanted, filters, why) => {
    if (why === null) expect(whyOf(all, wanted, filters)).toBeNull()
    else expect(whyOf(all, wanted, filters)).toContain(why)
  })
})

it('a page has every case with its outcome, and the sum of all', () => {
  const rows: readonly Row[] = rowsOf([skipped, passed], [])
  expect(sum(rows)).toBe('2 cases: 1 passed, 0 failed, 1 skipped')
  const text = page(rows, { Engine: 'Docker `1`' }, '2026-01-31')
  expect(text).toContain('## A001 read: passed\n\nTried: Tried it.\n\nHappened: Refused.\n')
  expect(text).toContain('## A002 write: skipped\n')
  expect(text).toContain('- Engine: Docker \\`1\\`')
  expect(text.indexOf('A001')).toBeLessThan(text.indexOf('A002'))
})
