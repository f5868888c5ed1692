import { expect, it } from 'vitest'
import { progressText } from '../../src/domain/progress.ts'

const tool = (text: string, paths: readonly string[] = []) =>
  progressText({ kind: 'tool', tool: 'sh', text, paths })

it('is one line, of the beginning of what was done', () => {
  expect(tool('ls')).toBe('» sh ls')
  expect(tool('a\n\n  b  \n')).toBe('» sh a ⏎ b')
  expect(tool('', ['a', 'b'])).toBe('» sh a b')
  expect(tool('x'.repeat(400))).toBe(`» sh ${'x'.repeat(300)}…`)
  expect(progressText({ kind: 'said', text: 'It is\nso.' })).toBe('It is\nso.')
  expect(progressText({ kind: 'spent', tokens: 1, costUsd: 0 })).toBe('')
})

it('is made of its beginning alone, however long it is', () => {
  expect(tool(`a${' '.repeat(1_000_000)}b`)).toMatch(/^» sh a…$/)
})
