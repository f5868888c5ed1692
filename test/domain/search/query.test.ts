import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseQuery, queryLimits } from '../../../src/domain/search/query.ts'

/** Each wanted thing: its ways, a word that may go on with an asterisk. */
const read = (text: string): readonly string[] =>
  parseQuery(text).map(({ any }) =>
    any.map(({ terms, open }) => `${terms.join(' ')}${open ? '*' : ''}`).join(' | '),
  )

describe('a query', () => {
  it.each([
    ['fix the login', ['fix*', 'the*', 'login*']],
    ['to C', ['to', 'c']],
    ['foo-bar', ['foo bar*']],
    ["it's", ['it s']],
    ['C++', ['c＋＋*']],
    ['"tests pass" now', ['tests pass', 'now*']],
    ['“tests pass”', ['tests pass']],
    ['"unclosed quote', ['unclosed*', 'quote*']],
    ['"', []],
    ['*', []],
    ['', []],
    ['fix fix FIX', ['fix*']],
    ['AND OR NOT NEAR(a, 5)', ['and*', 'or', 'not*', 'near a', '5']],
    ["'; DROP TABLE tasks; --", ['drop*', 'table*', 'tasks*']],
    ['goal:x ^y {a b}:c', ['goal x', 'y', 'a', 'b c']],
    ['修', ['修']],
    ['修复', ['修复']],
    ['修复登录', ['修复 复登 登录']],
    ['"修复"', ['修复']],
    ['修复bug', ['修复 复 bug*']],
    ['修复 登录', ['修复', '登录']],
    ['哈哈', ['哈哈']],
    ['taskRequest', ['taskrequest* | task request*']],
    ['🚀', ['🚀']],
    ['a\0b', ['a b']],
  ])('%j looks for %j', (text, expected) => {
    expect(read(text)).toEqual(expected)
  })

  it('of any length is as long as counts', () => {
    expect(parseQuery(Array.from({ length: 500 }, (_, index) => `w${index}`).join(' '))).toHaveLength(
      queryLimits.wanted,
    )
    expect(read('x'.repeat(10_000))).toEqual([`${'x'.repeat(64)}*`])
    expect(parseQuery('a-'.repeat(5_000))[0]?.any[0]?.terms).toHaveLength(queryLimits.terms)
  })

  it('is read whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (text) => {
        for (const { any } of parseQuery(text)) {
          expect(any.flatMap(({ terms }) => terms).every((term) => /^[^\s"]+$/.test(term))).toBe(true)
        }
      }),
    )
  })
})
