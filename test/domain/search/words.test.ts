import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { documentOf, searchable } from '../../../src/domain/search/document.ts'
import { wordsOf } from '../../../src/domain/search/words.ts'

const terms = (text: string): readonly string[] => wordsOf(text).words.map(({ term }) => term)

describe('the words of a text', () => {
  it.each([
    ['Fix the foo-bar, please!', ['fix', 'the', 'foo', 'bar', 'please']],
    ["it's src/main.ts:12", ['it', 's', 'src', 'main', 'ts', '12']],
    ['snake_case v1.2', ['snake', 'case', 'v1', '2']],
    ['Ångström CAFÉ naïve', ['angstrom', 'cafe', 'naive']],
    ['Straße ΣΊΣΥΦΟΣ Йод', ['strasse', 'σισυφοσ', 'иод']],
    ['İstanbul ﬁx ＡＢＣ', ['istanbul', 'fix', 'abc']],
    ['C++ and C# but i+1', ['c＋＋', 'and', 'c＃', 'but', 'i', '1']],
    ['修复', ['修复', '复']],
    ['修复登录bug吧', ['修复', '复登', '登录', '录', 'bug', '吧']],
    ['テスト失敗', ['テス', 'スト', 'ト失', '失敗', '敗']],
    ['한국어 버그', ['한국', '국어', '어', '버그', '그']],
    ['ship it 🚀!', ['ship', 'it', '🚀']],
    ['a\0b\ud800c', ['a', 'b', 'c']],
    ['"*-:()^ +', []],
    ['', []],
  ])('%j are %j', (text, expected) => {
    expect(terms(text.normalize('NFC'))).toEqual(expected)
  })

  it('are in names of programs, too', () => {
    const inner = (text: string) => wordsOf(text).inner.map((row) => row.map(({ term }) => term))
    expect(inner('parseTaskRequest of HTTPServer2, not plain words')).toEqual([
      ['parse', 'task', 'request'],
      ['http', 'server2'],
    ])
    expect(inner('QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJz')).toEqual([])
  })

  it('say where they stand', () => {
    const text = 'Mend 登录é now'.normalize('NFC')
    expect(wordsOf(text).words.map(({ from, to }) => text.slice(from, to))).toEqual([
      'Mend',
      '登录',
      '录',
      'é',
      'now',
    ])
  })

  it('are terms without anything that a query could mean, of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const whole = text.normalize('NFC')
        const { words, inner } = wordsOf(whole)
        for (const { term, from, to } of [...words, ...inner.flat()]) {
          expect(term).toMatch(/^([^\p{ASCII}\s]|[0-9a-z])+$/u)
          expect(from < to && to <= whole.length).toBe(true)
        }
      }),
    )
  })
})

describe('a document', () => {
  it('has each line of a kind once, the newest first, and no more than is found', () => {
    const tail = (step: number) => `TAP version 13\nok ${step}\n`
    const pieces = searchable([
      { kind: 'output', step: 2, text: tail(2) },
      { kind: 'output', step: 1, text: tail(1) },
      { kind: 'goal', step: null, text: 'Mend it' },
      { kind: 'agent', step: 3, text: 'x'.repeat(40_000) },
      { kind: 'agent', step: 2, text: 'older' },
    ])
    expect(pieces.map(({ kind, step, text }) => [kind, step, text.length > 20 ? text.length : text])).toEqual(
      [
        ['goal', null, 'Mend it'],
        ['agent', 3, 32_768],
        ['output', 2, 'TAP version 13\nok 2'],
        ['output', 1, 'ok 1'],
      ],
    )
  })

  it('has no phrase that goes from one text into the next, and each letter of a script without spaces', () => {
    const document = documentOf([
      { kind: 'goal', step: null, text: 'one' },
      { kind: 'goal', step: null, text: '修复' },
    ])
    expect(document.goal).toBe('one \ue000 修复 复 \ue000 修')
    expect(document.names).toBe('')
    const commit = '0123456789abcdef0123456789abcdef01234567'
    const { names } = documentOf([{ kind: 'names', step: null, text: commit }])
    expect(names).toBe(`${commit} \ue000 0123456 01234567 012345678 0123456789 0123456789a 0123456789ab`)
  })
})
