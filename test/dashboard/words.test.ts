import { describe, expect, it, test } from 'vitest'
import {
  agoOf,
  begunText,
  bytesOf,
  clockOf,
  firstLine,
  groupOf,
  haltSaid,
  joined,
  moneyOf,
  nameText,
  plain,
  reasonOf,
  spanOf,
  stateOf,
} from '../../src/dashboard/words.ts'
import { discardText, mergeText, undoText } from '../../src/dashboard/task/delivery-words.ts'
import { aMerge, aTask } from '../support/task.ts'
import { statuses } from '../../src/domain/task.ts'

test('a task that a person has to approve does not run yet', () => {
  expect(statuses.filter((status) => begunText(status) !== 'It runs as')).toEqual(['DRAFT'])
  expect(begunText('DRAFT')).toBe('It waits as a draft for a person:')
})

it.each([
  ['src/a b.ts', 'src/a b.ts'],
  ['ü/修复.txt', 'ü/修复.txt'],
  ['d/\u202egnp.exe', String.raw`"d/\u202egnp.exe"`],
  ['a\u3164\u{e0061}', String.raw`"a\u3164\udb40\udc61"`],
  ['a\nb\u0007', String.raw`"a\nb\u0007"`],
])('the name %j is shown as %s', (name, shown) => {
  expect(nameText(name)).toBe(shown)
})

describe('what becomes of work', () => {
  it('says that it is pushed where the repository is one by URL', () => {
    const words = (path: string): readonly string[] => {
      const task = aTask({ repository: { path, key: 'k' }, merge: aMerge({ into: 'main' }) })
      return [mergeText(task), undoText(task), discardText(task)]
    }
    expect(words('shop').filter((text) => /remote/.test(text))).toHaveLength(3)
    expect(words('/srv/shop').filter((text) => /remote/.test(text))).toEqual([])
  })
})

it('why a task came to rest is said as long as something can be done about it', () => {
  const halt = { reason: 'stuck', text: 'Resume it.' } as const
  const said = (task: Parameters<typeof aTask>[0]) => haltSaid(aTask(task))
  expect(said({ status: 'BLOCKED', halt })).toBe('Resume it.')
  expect(said({ status: 'BLOCKED', halt, delivery: 'discarded' })).toBeNull()
  expect(said({ status: 'RUNNING' })).toBeNull()
})

describe('the board', () => {
  it('has a list for every state', () => {
    expect(
      statuses.map((status) => [status, groupOf({ kind: 'change', status, delivery: 'none' }).title]),
    ).toEqual([
      ['DRAFT', 'Needs you'],
      ['PENDING', 'Queued'],
      ['RUNNING', 'Running'],
      ['VALIDATING', 'Running'],
      ['APPLIED', 'Done'],
      ['BLOCKED', 'Needs you'],
      ['FAILED', 'Needs you'],
      ['TIMEOUT', 'Needs you'],
      ['STOPPED', 'Halted'],
      ['REJECTED', 'Halted'],
    ])
  })
})

it.each([
  [{}, 'applied, not delivered yet'],
  [{ outcome: 'untested' }, 'applied, untested, not delivered yet'],
  [{ merge: aMerge({ into: 'main', refusal: 'other' }) }, 'applied, not merged into main'],
  [{ delivery: 'merged', merge: aMerge({ into: 'main' }) }, 'merged into main'],
  [{ delivery: 'discarded' }, 'discarded'],
  [{ kind: 'question' }, 'answered'],
  [{ status: 'RUNNING' }, 'running'],
] as const)('a task with %o is %s', (more, words) => {
  expect(stateOf(aTask({ status: 'APPLIED', ...more }))).toBe(words)
})

it('a time of another day has the day', () => {
  const now = new Date(2026, 10, 28, 12).getTime()
  const morning = new Date(2026, 10, 28, 3, 30)
  const before = new Date(2026, 10, 27, 23, 59)
  expect(clockOf(morning.getTime(), now)).toBe(morning.toLocaleTimeString())
  expect(clockOf(before.getTime(), now)).toBe(before.toLocaleString())
  expect(before.toLocaleString()).toContain('27')
})

it.each([
  [0, '0 s'],
  [59_400, '59 s'],
  [60_000, '1 min'],
  [125_000, '2 min 5 s'],
  [3_900_000, '1 h 5 min'],
  [49 * 3_600_000, '2 d 1 h'],
])('%i ms are %s', (ms, text) => {
  expect(spanOf(ms)).toBe(text)
})

it.each([
  [0, 'just now'],
  [10 * 60_000, '10 min ago'],
  [5 * 3_600_000, '5 h ago'],
  [72 * 3_600_000, '3 d ago'],
  [-10_000, 'in a moment'],
  [-2 * 3_600_000, 'in 2 h'],
])('%i ms before now is %s', (ms, text) => {
  expect(agoOf(1_000_000_000 - ms, 1_000_000_000)).toBe(text)
})

it('money and bytes are as long as they matter', () => {
  expect([0, 0.0042, 1.5].map(moneyOf)).toEqual(['$0.00', '$0.0042', '$1.50'])
  expect([7, 1500, 2_500_000].map(bytesOf)).toEqual(['7 B', '1.5 kB', '2.5 MB'])
})

it('a first line is no longer than it may be', () => {
  expect(firstLine('  one\ntwo')).toBe('one')
  expect(firstLine('x'.repeat(10), 4)).toBe('xxxx…')
  expect(firstLine('make\u202e llatsni\u2028it\r\ntwo')).toBe('make\u{fffd} llatsni\u{fffd}it')
})

it.each([
  [['It says "sudo".'], 'It says "sudo".'],
  [['It says "sudo".', 'It is large.'], 'It says "sudo", and 1 more reason.'],
  [['It says "sudo".', 'It is large.', 'It is late.'], 'It says "sudo", and 2 more reasons.'],
  [[], undefined],
])('a draft that waits because of %j says %j', (texts, said) => {
  expect(reasonOf(texts.map((text) => ({ rule: 'words', text })))).toBe(said)
})

describe('the output of a program', () => {
  const escape = String.fromCodePoint(27)
  const bell = String.fromCodePoint(7)
  it.each([
    [`${escape}[31mred${escape}[0m`, 'red'],
    [`${escape}]0;title${bell}text`, 'text'],
    [`${escape}]8;;file:///etc${escape}\\link`, 'link'],
    [`a\r\nb\tc\u0000\u009b2J`, 'a\nb\tc2J'],
    ['abc\u202etxt.exe', 'abc\ufffdtxt.exe'],
    ['日本語 é 👩‍💻', '日本語 é 👩‍💻'],
  ])('%j is shown as %j', (text, shown) => {
    expect(plain(text)).toBe(shown)
  })

  it.each([
    ['one\n', 'two\n', 'one\ntwo\n'],
    ['one\ntwo\n', 'two\n', 'one\ntwo\n'],
    ['one\ntwo\n', 'two\nthree\n', 'one\ntwo\nthree\n'],
    ['one\n', '', 'one\n'],
    ['', 'one\n', 'one\n'],
  ])('read as %j, with %j meanwhile, is %j', (log, live, all) => {
    expect(joined(log, live)).toBe(all)
  })
})
