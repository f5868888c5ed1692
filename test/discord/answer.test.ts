import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shownAnswer } from '../../src/discord/messages/answer.ts'
import { escaped, headBlock, tailBlock } from '../../src/discord/text.ts'

const most = 3500
const block = (code: string): string => `\`\`\`\n${code}\n\`\`\``

describe('an answer', () => {
  it.each([
    ['a **b**', 'a \\*\\*b\\*\\*'],
    [
      'Run:\n\n```sh\nnpm *test* <@1>\n```\n\nThen _look_.',
      `Run:\n\n${block('npm *test* <@1>')}\n\nThen \\_look\\_.`,
    ],
    ['1. do\n    ```ts\n    a[0]\n    ```\n2. end', `1. do\n${block('    a[0]')}\n2. end`],
    ['~~~\n```\nx\n~~~', block('`\u200b``\nx')],
    ['````md\n```\nx\n```\n````', block('`\u200b``\nx\n`\u200b``')],
    ['```\nnever closed', '\\`\\`\\`\nnever closed'],
    ['```x``` in a line\n[a](http://b)', '\\`\\`\\`x\\`\\`\\` in a line\n\\[a\\](http://b)'],
    ['```\na\n```\n```\nb\n```', `${block('a')}\n${block('b')}`],
  ])('%j keeps its code, and nothing else, as code', (text, shown) => {
    expect(shownAnswer(text, most)).toBe(shown)
  })

  const pieces = [
    '```',
    '````',
    '~~~',
    '`',
    '\n',
    '\n',
    'sh',
    ' ',
    '*',
    '\\',
    '[a](b)',
    '@everyone',
    '<@1>',
    '🚣',
    '\ud83d',
  ]
  const any = fc.array(fc.constantFrom(...pieces), { maxLength: 80 }).map((all) => all.join(''))

  it('ends each block where it ends it itself, and pings and leads nowhere beside them', () => {
    fc.assert(
      fc.property(any, fc.integer({ min: 30, max: 300 }), (text, length) => {
        const parts = shownAnswer(text, length).split('```')
        expect(parts.length % 2).toBe(1)
        const beside = parts.filter((_, at) => at % 2 === 0).join(' ')
        expect(beside).not.toMatch(/<@[!&]?\d|@everyone|(?:^|[^\\])\[a|(?<!\\)(?:\\\\)*\]\(/)
      }),
      { numRuns: 500 },
    )
  })

  it('is no longer than it may be, nor than all of it letter by letter', () => {
    fc.assert(
      fc.property(any, fc.integer({ min: 30, max: 300 }), (text, length) => {
        expect(shownAnswer(text, length).length).toBeLessThanOrEqual(length)
        expect(shownAnswer(text, most).length).toBeLessThanOrEqual(escaped(text).length)
      }),
      { numRuns: 500 },
    )
  })

  it('that is too long says so at its end, in a block too', () => {
    expect(shownAnswer(`\`\`\`\n${'x'.repeat(100)}\n\`\`\``, 50)).toMatch(/^```\nx+…\n```$/)
    expect(shownAnswer(`\`\`\`\n${'x'.repeat(30)}\n\`\`\`\n${'y'.repeat(100)}`, 50)).toMatch(/x\n```\n…$/)
  })
})

it.each([3, 4, 5, 6, 7])(
  'a block holds no end of its own where its text has %d backticks in a row',
  (count) => {
    for (const shown of [headBlock, tailBlock].map((of) => of('`'.repeat(count), 100)))
      expect(shown.slice(3, -3)).not.toContain('```')
  },
)
