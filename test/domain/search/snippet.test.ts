import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Piece } from '../../../src/domain/search/piece.ts'
import { parseQuery } from '../../../src/domain/search/query.ts'
import { snippetsOf } from '../../../src/domain/search/snippet.ts'

const goal = (text: string): Piece => ({ kind: 'goal', step: null, text })

/** Snippets with their hits in brackets. */
function shown(pieces: readonly Piece[], query: string): readonly string[] {
  return snippetsOf(pieces, parseQuery(query)).map(({ parts }) =>
    parts.map(({ text, hit }) => (hit ? `[${text}]` : text)).join(''),
  )
}

describe('a snippet', () => {
  it.each([
    ['Fix the Login page', 'login', 'Fix the [Login] page'],
    ['Fix the login', 'log', 'Fix the [login]'],
    ['Run <b>tests</b> & go', 'tests', 'Run <b>[tests]</b> & go'],
    ['It is CAFÉ time', 'cafe', 'It is [CAFÉ] time'],
    ['all foo-bar here, bar foo', 'foo-bar', 'all [foo-bar] here, bar foo'],
    ['请修复登录错误', '登录', '请修复[登录]错误'],
    ['请修复登录错误', '修复登录', '请[修复登录]错误'],
    ['请修复登录错误', '登', '请修复[登]录错误'],
    ['请修复登录错误', '误', '请修复登录错[误]'],
    ['see parseTaskRequest()', 'taskRequest', 'see parse[TaskRequest]()'],
    ['one\n\n  two', 'two', 'one [two]'],
    ['ship 🚀 it', '🚀', 'ship [🚀] it'],
  ])('of %j for %j is %j', (text, query, expected) => {
    expect(shown([goal(text)], query)).toEqual([expected])
  })

  it('is of the part of a long text where the words are, and says that there is more', () => {
    const text = `${'before '.repeat(100)}first hit ${'between '.repeat(100)}hit and needle ${'after '.repeat(100)}`
    const [snippet = ''] = shown([goal(text)], 'hit needle')
    expect(snippet).toMatch(/^…(between )+\[hit\] and \[needle\] (after ?)+…$/)
    expect(snippet.length).toBeLessThan(200)
  })

  it('is found on the one line of many that has it, and side by side on two', () => {
    const text = `${'ok line\n'.repeat(3000)}not ok: needle\n${'ok line\n'.repeat(500)}`
    expect(shown([goal(text)], 'needle')[0]).toContain('not ok: [needle] ok line')
    expect(shown([goal('one\ntwo')], '"one two"')).toEqual(['[one two]'])
  })

  it('is made of each text that shows something new, up to three', () => {
    const pieces = [goal('mend one'), goal('one again'), goal('two'), goal('three'), goal('four')]
    expect(shown(pieces, 'one two')).toEqual(['mend [one]', '[two]'])
    expect(shown(pieces, 'one two three four')).toHaveLength(3)
    expect(shown(pieces, 'absent')).toEqual([])
  })

  it('has the text that it is of, whatever that is', () => {
    const some = fc.string({
      unit: fc.constantFrom('a', 'b', ' ', '修', '复', 'é', '🚀', '\n', '"', '\0', '-'),
    })
    fc.assert(
      fc.property(some, some, (text, query) => {
        for (const { parts } of snippetsOf([goal(text)], parseQuery(query))) {
          const whole = parts.map((part) => part.text).join('')
          expect(text.replaceAll(/\s+/g, ' ')).toContain(whole.replace(/^…/, '').replace(/…$/, ''))
          expect(parts.some(({ hit }) => hit)).toBe(true)
        }
      }),
    )
  })
})
