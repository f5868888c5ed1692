import { describe, expect, it } from 'vitest'
import {
  cutOf,
  factsOfDiff,
  filesOfDiff,
  hasLines,
  isLeftOut,
  nameInDiff,
  sizeOfDiff,
} from '../../src/dashboard/task/diff-text.ts'
import { laidOpen } from '../../src/domain/laid-open.ts'

const one = `diff --git a/a.txt b/a.txt
index 1..2 100644
--- a/a.txt
+++ b/a.txt
@@ -1,3 +1,3 @@
 a
-diff --git a/x b/x
--- b
+++ c
+d
`
const two = `diff --git a/b b/b
new file mode 100644
index 0..1
--- /dev/null
+++ b/b
@@ -0,0 +1 @@
+b
`

it('a diff has a part for each file, and what its lines hold begins none', () => {
  expect(filesOfDiff(one + two)).toEqual([one, two])
  expect(filesOfDiff('')).toEqual([])
})

it('a diff that was cut says why', () => {
  expect(cutOf(`${one}[cut: the diff is longer than 8 MiB]\n`)).toBe('the diff is longer than 8 MiB')
  expect(cutOf(`${one}[cut: it ends in a[0]; not shown: 1 more file, b]\n`)).toBe(
    'it ends in a[0]; not shown: 1 more file, b',
  )
  expect(cutOf(`${one}+[cut: by an agent]\n`)).toBeNull()
  expect(cutOf('')).toBeNull()
})

it('a file that was left out has its part and its name, and says so', () => {
  const large = `diff --git a/l b.json b/l b.json
new file mode 100644
index 0..1
Binary files /dev/null and b/l b.json differ
[not shown: l b.json is too large (9.0 MiB); the branch cofferdam/1 has it]
`
  expect(filesOfDiff(one + large + two)).toEqual([one, large, two])
  expect(nameInDiff(large)).toBe('l b.json')
  const forged = laidOpen(`${one}+x\r[not shown: a\u2028[not shown: b\n`)
  expect([one, large, two, forged].map(isLeftOut)).toEqual([false, true, false, false])
  expect(factsOfDiff(large)).not.toContain('binary')
})

it('lines that look like a heading are counted as what they are', () => {
  expect(sizeOfDiff(one)).toEqual({ added: 2, removed: 2 })
  expect(sizeOfDiff('diff --git a/b b/b\nBinary files a/b and b/b differ\n')).toEqual({
    added: 0,
    removed: 0,
  })
})

describe('the name of a file in a diff', () => {
  it.each<[string, string, string]>([
    ['a changed file', one, 'a.txt'],
    ['a new file', two, 'b'],
    ['a file that is gone', 'diff --git a/c d b/c d\n--- a/c d\t\n+++ /dev/null\n@@ -1 +0,0 @@\n-c\n', 'c d'],
    ['a moved file', 'diff --git a/x b/y z\nsimilarity index 100%\nrename from x\nrename to y z\n', 'y z'],
    ['another mode alone', 'diff --git a/run me b/run me\nold mode 100644\nnew mode 100755\n', 'run me'],
    ['no text', 'diff --git a/i.png b/i.png\nindex 1..2\nBinary files a/i.png and b/i.png differ\n', 'i.png'],
    [
      'a name that git quotes',
      'diff --git "a/\\303\\244 \\"b\\"\\t\\\\.txt" "b/\\303\\244 \\"b\\"\\t\\\\.txt"\n--- /dev/null\n+++ "b/\\303\\244 \\"b\\"\\t\\\\.txt"\n@@ -0,0 +1 @@\n+x\n',
      'ä "b"\t\\.txt',
    ],
  ])('of %s', (_, text, name) => {
    expect(nameInDiff(text)).toBe(name)
  })
})

describe('what becomes of a file besides its lines', () => {
  it.each<[string, string, readonly string[]]>([
    ['nothing', one, []],
    ['it is new', two, ['new file']],
    ['it is a new program', 'diff --git a/b b/b\nnew file mode 100755\n', ['new executable file']],
    ['it is a new link', 'diff --git a/b b/b\nnew file mode 120000\n', ['new symbolic link']],
    ['it leads elsewhere', 'diff --git a/b b/b\nindex 1..2 120000\n', ['symbolic link']],
    ['it is gone', 'diff --git a/b b/b\ndeleted file mode 100644\n', ['deleted file']],
    [
      'it becomes a program',
      'diff --git a/b b/b\nold mode 100644\nnew mode 100755\n',
      ['file → executable file'],
    ],
    [
      'it is moved',
      'diff --git "a/\\303\\244" b/y\nsimilarity index 100%\nrename from "\\303\\244"\nrename to y\n',
      ['renamed from ä'],
    ],
    ['it is a program', 'diff --git a/b b/b\nindex 1..2 100755\n', ['executable file']],
    ['it is a submodule', 'diff --git a/b b/b\nindex 1..2 160000\n', ['submodule']],
    [
      'it is no text',
      'diff --git a/b b/b\nnew file mode 100755\nindex 0..1\nBinary files /dev/null and b/b differ\n',
      ['new executable file', 'binary'],
    ],
    [
      'its lines say so',
      'diff --git a/b b/b\nindex 1..2 100644\n--- a/b\n+++ b/b\n@@ -1 +1 @@\nrename from x\n',
      [],
    ],
  ])('%s', (_, text, facts) => {
    expect(factsOfDiff(text)).toEqual(facts)
  })
})

it('a part of a diff has lines, or its heading alone', () => {
  expect([one, two, 'diff --git a/b b/b\nold mode 100644\nnew mode 100755\n'].map(hasLines)).toEqual([
    true,
    true,
    false,
  ])
})

describe('what is shown of a diff', () => {
  const forged = (mark: string) =>
    `diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -0,0 +1 @@\n+# help${mark}diff --git a/README.md b/README.md\n`

  it.each(['\r', '\u2028', '\u2029'])('has one line where git has one: %j in it begins none', (mark) => {
    const text = laidOpen(forged(mark))
    expect(filesOfDiff(text)).toHaveLength(1)
    expect(text.split(/\r\n|[\r\n\u2028\u2029]/u).filter((line) => line.includes('README'))).toEqual([
      `+# help${mark === '\r' ? '\u240d' : '\u{fffd}'}diff --git a/README.md b/README.md`,
    ])
  })

  it('says which command of a terminal stands there', () => {
    expect(laidOpen('+a\u001b[2Kb\b\u0007\n')).toBe('+a\u241b[2Kb\u2408\u2407\n')
  })

  it('turns no text around, and leaves the ends of lines as they are', () => {
    expect(laidOpen('+a\u202eb\r\n+c\n')).toBe('+a\u{fffd}b\r\n+c\n')
  })

  it('shows that there is something where nobody would see it, but for what joins letters', () => {
    expect(laidOpen('+const { a,\u3164} = b // \u{e0061}\n+👩‍💻 ❤️ \ufeff\n')).toBe(
      '+const { a,\u{fffd}} = b // \u{fffd}\n+👩‍💻 ❤️ \ufeff\n',
    )
  })
})
