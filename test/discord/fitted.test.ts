import { describe, expect, it } from 'vitest'
import { fitted } from '../../src/discord/messages/fitted.ts'

const heading = (name: string): string =>
  `diff --git a/${name} b/${name}\nindex 1111111..2222222 100644\n--- a/${name}\n+++ b/${name}\n`
const file = (name: string, lines: number): string =>
  `${heading(name)}@@ -0,0 +1,${lines} @@\n${'+x\n'.repeat(lines)}`
const small = file('small.txt', 3)
const binary =
  'diff --git a/b.png b/b.png\nindex 1111111..2222222 100644\nBinary files a/b.png and b/b.png differ\n'

describe('a diff that comes with a message', () => {
  it('is all there where it fits, to the last character', () => {
    expect(fitted(small, small.length)).toEqual({ text: small, isCut: false })
    expect(fitted('', 10)).toEqual({ text: '', isCut: false })
  })

  it('has the heading of a large file, so that those behind it are shown', () => {
    const { text, isCut } = fitted(file('lock.json', 5000) + binary + small, 1000)
    expect(text).toBe(`${heading('lock.json')}[not shown here: 5001 lines]\n${binary}${small}`)
    expect(isCut).toBe(true)
  })

  it('leaves out no more than it has to, the largest first', () => {
    const diff = file('a', 100) + file('b', 300) + file('c', 200)
    expect(fitted(diff, diff.length - 1).text).toBe(
      `${file('a', 100)}${heading('b')}[not shown here: 301 lines]\n${file('c', 200)}`,
    )
  })

  it('is cut at its end where headings alone are too long, and never longer than it may be', () => {
    const { text } = fitted(file('a', 100).repeat(50), 500)
    expect(text).toHaveLength(500)
    expect(text.startsWith(heading('a'))).toBe(true)
  })

  it('takes no line of content for the beginning of a file', () => {
    const tricky = `${heading('t')}@@ -1 +1,2 @@\n diff --git a/x b/x\n+${'y'.repeat(2000)}\n`
    expect(fitted(tricky + small, 600).text).toBe(`${heading('t')}[not shown here: 3 lines]\n${small}`)
  })
})
