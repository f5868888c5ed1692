import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { quoted, quotedInline } from '../../src/domain/shell.ts'

const bash = (word: string): string => execFileSync('bash', ['-c', `printf %s ${word}`], { encoding: 'utf8' })

it.each([
  ['/a/b-c.d', '/a/b-c.d'],
  ['two words', "'two words'"],
  ["it's", `'it'\\''s'`],
  ['$(x)', "'$(x)'"],
  ['`x`', "'`x`'"],
  ['\u001b[2Jü', String.raw`$'\033\1332J\303\274'`],
  ["it's \u202ea", String.raw`$'it\047s \342\200\256a'`],
])('%j is quoted for a shell as %s', (text, word) => {
  expect(quoted(text)).toBe(word)
  expect(bash(word)).toBe(text)
})

it.each([
  ['main', 'main'],
  ['$(x)', "'$(x)'"],
  ['a`x`', String.raw`$'a\140x\140'`],
])('%j stands between backquotes as %s', (text, word) => {
  expect(quotedInline(text)).toBe(word)
  expect(bash(word)).toBe(text)
})
