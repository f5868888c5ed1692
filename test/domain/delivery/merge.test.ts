import { describe, expect, it } from 'vitest'
import { branchProblem, isTaskBranch } from '../../../src/domain/delivery/merge.ts'
import { parseTaskRequest } from '../../../src/domain/intake.ts'
import { mergeMessage } from '../../../src/domain/delivery/message.ts'
import { aSpent } from '../../support/task.ts'

describe('A044 the name of a branch to merge into', () => {
  it.each([
    'main',
    'release/1.2',
    'feature/ümlaut',
    'a-b_c.d',
    'v1@home',
    'a@',
    'x',
    'a./b',
    'HEAD/a',
    'a.locks',
    'a{b',
    '修复',
  ])('may be %s', (name) => {
    expect(branchProblem(name)).toBe(null)
  })

  it.each([
    '',
    '-x',
    '--upload-pack=x',
    'a..b',
    'a@{1}',
    'a\nb',
    'a b',
    'a\0b',
    'a\x7fb',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[b]',
    'a\\b',
    'HEAD',
    '@',
    '/a',
    'a/',
    'a//b',
    '.a',
    'a/.b',
    'a.lock',
    'a.lock/b',
    '.lock',
    ' ',
    'a\u2028..b',
    '/',
    'a.',
  ])('is not %j', (name) => {
    expect(branchProblem(name)).toMatch(/is no name of a branch\.$/)
  })

  // Else a task could begin from a branch that its work may not be merged into.
  it.each([200, 201])('of %i characters is taken as what a task begins from too, or neither', (length) => {
    const ref = 'x'.repeat(length)
    const parsed = parseTaskRequest({ goal: 'Fix it', repository: '/r', ref })
    const problem =
      length > 200 ? expect.stringContaining('is longer than 200 characters: name a branch') : null
    expect([branchProblem(ref), parsed.ok ? null : parsed.problems.join()]).toEqual([problem, problem])
  })

  it.each([
    ['cofferdam/abc', true],
    ['cofferdam-abc', true],
    ['cofferdam', false],
    ['my-cofferdam/abc', false],
  ])('%s is that of a task: %s', (name, is) => {
    expect(isTaskBranch(name)).toBe(is)
  })
})

describe('the message of a merge', () => {
  const task = {
    id: 'aaaaaaaaaa',
    goal: '  Mend the parser\n\nIt fails on tabs.\n',
    branch: 'cofferdam/aaaaaaaaaa',
    outcome: 'tested',
    spent: aSpent({ steps: 3 }),
  } as const
  const of = (more: object, how: 'merge' | 'squash'): string =>
    mergeMessage({ ...task, ...more } as Parameters<typeof mergeMessage>[0], 'main', how, (text) =>
      text.replaceAll('hunter2', '[redacted]'),
    )

  it('names both branches, and tells what it was for', () => {
    expect(of({ goal: 'Use hunter2, fixes #7' }, 'merge')).toContain('\n\nUse [redacted], fixes #\u20607\n\n')
    expect(of({}, 'merge')).toBe(
      'Merge cofferdam/aaaaaaaaaa into main\n\nMend the parser\n\nIt fails on tabs.\n\nCofferdam-Task: aaaaaaaaaa\nCofferdam-Steps: 3, tested\n',
    )
  })

  it('of a squash is what it was for', () => {
    expect(of({ outcome: 'untested' }, 'squash')).toBe(
      'Mend the parser\n\nIt fails on tabs.\n\nCofferdam-Task: aaaaaaaaaa\nCofferdam-Steps: 3, untested\n',
    )
    expect(of({ goal: 'Use hunter2, closes #7\n\ncc @ada\n/merge\u202e' }, 'squash').split('\nCoff')[0]).toBe(
      'Use [redacted], closes #\u20607\n\ncc @\u2060ada\n/\u2060merge\n',
    )
    expect(of({ goal: '修'.repeat(100) }, 'squash').split('\n')[0]).toBe(`${'修'.repeat(71)}…`)
  })
})
