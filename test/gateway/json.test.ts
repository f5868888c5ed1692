import { assert, constantFrom, integer, json, nat, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonReader, NotJson } from '../../src/gateway/json.ts'

/** Reads a document in pieces of so many bytes, and lists its values as they come; null where it is none. */
function read(text: string | Buffer, size = 1_000_000): readonly (readonly [string, unknown])[] | null {
  const seen: (readonly [string, unknown])[] = []
  const reader = new JsonReader((path, value) => void seen.push([path.join('.'), value]))
  const bytes = Buffer.from(text)
  try {
    for (let at = 0; at < bytes.length; at += size) reader.write(bytes.subarray(at, at + size))
    reader.end()
    return seen
  } catch (error) {
    if (error instanceof NotJson) return null
    throw error
  }
}

/** The same list made from a document that is parsed already. */
function listed(value: unknown, path: readonly string[] = []): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null) return [[path.join('.'), value]]
  const children = Array.isArray(value)
    ? value.map((each: unknown) => ['*', each] as const)
    : Object.entries(value)
  return [[path.join('.'), undefined], ...children.flatMap(([key, each]) => listed(each, [...path, key]))]
}

const signs = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  '0',
  '1',
  'e',
  '.',
  '-',
  '+',
  'n',
  't',
  'f',
  '\\',
  ' ',
  '\0',
  'x',
]
const documents = json({ maxDepth: 6 })

describe('a document read as it comes', () => {
  it('has the values that JSON.parse finds, whatever the pieces', () => {
    assert(
      property(documents, integer({ min: 1, max: 40 }), (text, size) => {
        expect(read(text, size)).toEqual(listed(JSON.parse(text)))
      }),
    )
  })

  it('is refused wherever JSON.parse refuses it', () => {
    assert(
      property(documents, nat(), constantFrom(...signs), (text, place, sign) => {
        const at = place % (text.length + 1)
        for (const broken of [
          text.slice(0, at),
          text.slice(0, at) + sign + text.slice(at),
          text.slice(0, at) + text.slice(at + 1),
        ]) {
          let parsed: unknown
          try {
            parsed = JSON.parse(broken)
          } catch {
            expect([broken, read(broken, 3)]).toEqual([broken, null])
            continue
          }
          // Keys that are there twice are all told, and `__proto__` is a key like any other: JSON.parse has less to say.
          const found = read(broken, 3)
          if (found !== null) expect(found.length).toBeGreaterThanOrEqual(listed(parsed).length)
        }
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    [
      'twice the same key',
      '{"a":1,"a":2}',
      [
        ['', undefined],
        ['a', 1],
        ['a', 2],
      ],
    ],
    [
      'an escaped key',
      String.raw`{"\u0061":1}`,
      [
        ['', undefined],
        ['a', 1],
      ],
    ],
    [
      'a prototype',
      '{"__proto__":{"a":1}}',
      [
        ['', undefined],
        ['__proto__', undefined],
        ['__proto__.a', 1],
      ],
    ],
    ['a single value', '7', [['', 7]]],
  ])('%s is told as it stands', (_what, text, seen) => {
    expect(read(text)).toEqual(seen)
  })

  it.each([
    ['nothing', ''],
    ['two', '{}{}'],
    ['a comma at the end', '[1,]'],
    ['a missing comma', '[1 2]'],
    ['brackets that cross', '[{]}'],
    ['a comment', '{}//'],
    ['single quotes', "{'a':1}"],
    ['great depth', '['.repeat(65) + ']'.repeat(65)],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
  ])('%s is refused', (_what, text) => {
    expect(read(text)).toBeNull()
  })
})
