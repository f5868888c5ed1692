import { describe, expect, it } from 'vitest'
import { harmless, inline, quoted } from '../../../src/domain/delivery/quoting.ts'

const apart = '\u2060'

describe('text of an agent in a pull request', () => {
  it.each([
    ['Closes #12', `Closes #${apart}12`],
    ['fixes ada/tools#7, GH-8 and PROJ-9', `fixes ada/tools#${apart}7, GH-${apart}8 and PROJ-${apart}9`],
    [
      'resolves https://forge.test/ada/tools/issues/3',
      `resolves https:${apart}//forge.test/ada/tools/issues/3`,
    ],
    ['cc @everyone and @ada/team', `cc @${apart}everyone and @${apart}ada/team`],
    ['see !4, $5, %"1.0", &6, ~bug', `see !${apart}4, $${apart}5, %${apart}"1.0", &${apart}6, ~${apart}bug`],
    ['/merge\n  /assign @me', `/${apart}merge /assign @${apart}me`],
    ['plain words, 3 < 4 & more', 'plain words, 3 < 4 & more'],
  ])('%j refers to nothing in a line', (text, line) => {
    expect(harmless(text)).toBe(line)
  })

  it('carries out no command of a forge', () => {
    expect(quoted('/merge\n  /assign_reviewer me', 100)).toBe(
      `\`\`\`text\n/${apart}merge\n  /${apart}assign_reviewer me\n\`\`\``,
    )
  })

  it('loses signs that nobody sees, or that turn the writing around', () => {
    expect(harmless('a\u202eb\u200bc\0d\u{e0041}e\u2028f\rg')).toBe('abcde f g')
  })

  it.each([
    ['![x](https://evil.test/pixel.png)', 3],
    ['```\n![x](y)\n```', 4],
    ['<img src=x> ````` <script>', 6],
    ['</details>\n\n# Approved', 3],
  ])('%j does not leave its block', (text, ticks) => {
    const block = quoted(text, 1000)
    const fence = '`'.repeat(ticks)
    const lines = block.split('\n')
    expect([lines[0], lines.at(-1)]).toEqual([`${fence}text`, fence])
    const inner = lines.slice(1, -1)
    expect(inner.filter((line) => new RegExp(`^ {0,3}\`{${ticks},}\\s*$`).test(line))).toEqual([])
  })

  it('is one line where it is in a line, with more backticks than it has', () => {
    expect(inline('a ``b`` c\nd', 100)).toBe('``` a ``b`` c d ```')
    expect(inline('', 100)).toBe('—')
  })

  it('is cut with a mark', () => {
    expect(quoted('ä'.repeat(20), 5)).toBe('```text\nääää…\n```')
  })
})
