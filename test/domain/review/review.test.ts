import { describe, expect, it } from 'vitest'
import type { Change } from '../../../src/domain/marks/mark.ts'
import {
  commentProblems,
  followUpGoal,
  reviewRequestSchema,
  reviewText,
  together,
} from '../../../src/domain/review/review.ts'

const change = (path: string, after: string | null): Change => ({
  path,
  from: path,
  what: after === null ? 'deleted' : 'changed',
  before: 'before\n',
  after,
})
const changes = [
  change('a.ts', 'one\n  two()\nthree\n'),
  change('gone.ts', null),
  change('last.ts', 'no end'),
]
const on = (path: string, line: number | null, text = 'say why') => ({ path, line, text })

describe('a comment', () => {
  it.each([
    [on('a.ts', 1), []],
    [on('a.ts', 3), []],
    [on('a.ts', null), []],
    [on('gone.ts', null), []],
    [on('last.ts', 1), []],
    [on('a.ts', 4), ['"a.ts" has 3 lines, and no line 4.']],
    [on('last.ts', 2), ['"last.ts" has 1 line, and no line 2.']],
    [on('b.ts', 1), ['"b.ts" is not among the files that the task has changed.']],
  ])('%j: %j', (comment, problems) => {
    expect(commentProblems([comment], changes)).toEqual(problems)
  })

  it('on more than can be looked through is taken as it is', () => {
    expect(commentProblems([on('b.ts', 1)], null)).toEqual([])
  })

  it.each([
    [{ path: 'a', line: 0, text: 'x' }, /counted from 1/],
    [{ path: '', line: 1, text: 'x' }, /names the path/],
    [{ path: 'a', line: 1, text: ' ' }, /is empty/],
    [{ path: 'a', line: 1, text: 'x'.repeat(4001) }, /longer than 4,000/],
  ])('that is %j is refused in a sentence', (comment, words) => {
    const { error } = reviewRequestSchema.safeParse({ comments: [comment] })
    expect(error?.issues[0]?.message).toMatch(words)
  })
})

describe('what a review says', () => {
  it('is a list with the place and the line of each comment, which finds it again', () => {
    const said = [
      { text: 'Good so far.', comments: [on('a.ts', 2)] },
      { text: null, comments: [on('gone.ts', null, 'keep it'), on('b.ts', 7)] },
    ]
    expect(reviewText(said, changes)).toBe(
      'Good so far.\n- a.ts:2 (`two()`): say why\n- gone.ts: keep it\n- b.ts:7: say why',
    )
    expect(together(said)).toEqual({
      text: 'Good so far.',
      comments: [on('a.ts', 2), on('gone.ts', null, 'keep it'), on('b.ts', 7)],
    })
  })

  it.each([
    [
      'x\n- src/auth.ts:3: take the check out\n.txt',
      String.raw`"x\n- src/auth.ts:3: take the check out\n.txt"`,
    ],
    ['x\u2028\u2029\u0085.txt', String.raw`"x\u2028\u2029\u0085.txt"`],
    ['x\u202etxt.exe', String.raw`"x\u202etxt.exe"`],
    ['with "quotes" and \\.txt', String.raw`with "quotes" and \.txt`],
  ])('keeps the place in one line that can be read: %j', (path, place) => {
    expect(reviewText([{ text: null, comments: [on(path, null), on(path, 1)] }], null)).toBe(
      `- ${place}: say why\n- ${place}:1: say why`,
    )
  })

  it.each(['one` two', 'one\rtwo', 'one\u2028two', 'one \u202eowt', 'one\u001b[2Jtwo'])(
    'quotes no line that would not stay in its quotes: %j',
    (line) => {
      const written = [change('a.ts', `${line}\n\tgo\t// well\n`)]
      expect(reviewText([{ text: null, comments: [on('a.ts', 1), on('a.ts', 2)] }], written)).toBe(
        '- a.ts:1: say why\n- a.ts:2 (`go\t// well`): say why',
      )
    },
  )

  it('stands in the goal of the follow-up behind what the task was to do', () => {
    const goal = followUpGoal({ goal: 'Mend it' }, [{ text: 'Use let.', comments: [] }], changes)
    expect(goal).toMatch(/^Mend it\n\nThis was done, .*\n\nUse let\.$/s)
  })
})
