import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Hit, KnownSecrets } from '../../src/domain/leak.ts'

const value = `sk-Te/st+0~'é"\\x9Zq`
const known = new KnownSecrets([{ name: 'key', value }])
const bytes = Buffer.from(value)

const base64 = (before: string): string => Buffer.concat([Buffer.from(before), bytes]).toString('base64')
const base64url = (before: string): string =>
  Buffer.concat([Buffer.from(before), bytes]).toString('base64url')

const spellings: readonly [string, string, Hit['encoding']][] = [
  ['raw', value, 'raw'],
  ['as encodeURIComponent has it', encodeURIComponent(value), 'url'],
  [
    'with small hex digits',
    encodeURIComponent(value).replaceAll(/%../g, (code) => code.toLowerCase()),
    'url',
  ],
  ['as RFC 3986 has it', encodeURIComponent(value).replaceAll("'", '%27'), 'url'],
  ['as a form has it', new URLSearchParams({ a: value }).toString().slice(2), 'url'],
  ['in JSON', JSON.stringify(value), 'json'],
  ['in JSON of ASCII alone', JSON.stringify(value).replace('é', String.raw`\u00e9`), 'json'],
  ['in JSON with its slashes escaped', JSON.stringify(value).replaceAll('/', String.raw`\/`), 'json'],
  ['in hex', bytes.toString('hex'), 'hex'],
  ['in capital hex', bytes.toString('hex').toUpperCase(), 'hex'],
  ['in base64', base64(''), 'base64'],
  ['in base64 after one byte', base64('u'), 'base64'],
  ['in base64 after two', base64('u:'), 'base64'],
  ['in base64 as a user and password', base64('user:'), 'base64'],
  ['in base64url', base64url(''), 'base64'],
  ['in base64url after one byte', base64url('~'), 'base64'],
  ['in base64url after two', base64url('??'), 'base64'],
]

describe('a secret is found', () => {
  test.each(spellings)('%s', (_name, spelling, encoding) => {
    const text = Buffer.from(`before ${spelling} after`)
    expect(known.scanner().push(text)).toEqual([{ secret: 'key', encoding }])
  })

  test.each(spellings)('%s, cut in two at every byte', (_name, spelling) => {
    const text = Buffer.from(`before ${spelling} after`)
    const whole = known.redact(text.toString())
    expect(whole).toMatch(/^before .{0,8}\[redacted:key\].{0,3} after$/)
    for (let cut = 0; cut <= text.length; cut += 1) {
      const scanner = known.scanner()
      const hits = [...scanner.push(text.subarray(0, cut)), ...scanner.push(text.subarray(cut))]
      expect(hits).toHaveLength(1)
      const redactor = known.redactor(() => undefined)
      const parts = [redactor.push(text.subarray(0, cut)), redactor.push(text.subarray(cut)), redactor.end()]
      expect(Buffer.concat(parts).toString()).toBe(whole)
    }
  })

  test('byte by byte, and again and again', () => {
    const text = `${value}${value} ${value}`
    const redactor = known.redactor(() => undefined)
    const parts = [...Buffer.from(text)].map((byte) => redactor.push(Buffer.of(byte)))
    expect(Buffer.concat([...parts, redactor.end()]).toString()).toBe(
      '[redacted:key][redacted:key] [redacted:key]',
    )
  })
})

describe('what is no secret passes', () => {
  test('at once, as long as nothing looks like the beginning of one', () => {
    const redactor = known.redactor(() => undefined)
    expect(redactor.push(Buffer.from('data: {"a": 1}\n\n')).toString()).toBe('data: {"a": 1}\n\n')
  })

  test('after no more than what may be the beginning of one', () => {
    const redactor = known.redactor(() => undefined)
    expect(redactor.push(Buffer.from('x sk-Te')).toString()).toBe('x ')
    expect(redactor.push(Buffer.from('ll me')).toString()).toBe('sk-Tell me')
    expect(redactor.push(Buffer.from('sk-T')).toString()).toBe('')
    expect(redactor.end().toString()).toBe('sk-T')
  })

  test('a value of fewer than eight characters is not searched for', () => {
    const few = new KnownSecrets([{ name: 'pin', value: '1234567' }])
    expect(few.isEmpty).toBe(true)
    expect(few.redact('1234567')).toBe('1234567')
  })

  test('any bytes, cut anywhere', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
        const whole = Buffer.concat(chunks)
        const redactor = known.redactor(() => undefined)
        const out = Buffer.concat([
          ...chunks.map((chunk) => redactor.push(Buffer.from(chunk))),
          redactor.end(),
        ])
        expect(out.equals(whole)).toBe(true)
      }),
    )
  })
})

describe('secrets that overlap', () => {
  test.each<[string, readonly string[], string, string]>([
    ['one begins another', ['abcdefgh', 'abcdefghijkl'], '-abcdefghijkl-', '-[redacted:s1]-'],
    [
      'one begins another, and goes on otherwise',
      ['abcdefgh', 'abcdefghijkl'],
      '-abcdefghijk-',
      '-[redacted:s0]ijk-',
    ],
    ['one ends another', ['efghijkl', 'abcdefghijkl'], '-abcdefghijkl-', '-[redacted:s1]-'],
    ['one is inside another', ['cdefghij', 'abcdefghijkl'], '-abcdefghijkl-', '-[redacted:s1]-'],
    [
      'the end of one is the beginning of another',
      ['abcdefgh', 'efghijkl'],
      '-abcdefghijkl-',
      '-[redacted:s0]-',
    ],
    ['one that overlaps itself', ['aaaaaaaa'], `-${'a'.repeat(50)}-`, '-[redacted:s0]-'],
  ])('%s', (_name, values, text, redacted) => {
    const secrets = new KnownSecrets(values.map((value, index) => ({ name: `s${index}`, value })))
    expect(secrets.redact(text)).toBe(redacted)
    const redactor = secrets.redactor(() => undefined)
    const parts = [...Buffer.from(text)].map((byte) => redactor.push(Buffer.of(byte)))
    expect(Buffer.concat([...parts, redactor.end()]).toString()).not.toMatch(/abcdefgh|efghijkl|aaaaaaaa/)
  })

  test('what is held back is bounded, however a secret repeats itself', () => {
    const secrets = new KnownSecrets([{ name: 'a', value: 'a'.repeat(8) }])
    const redactor = secrets.redactor(() => undefined)
    let out = 0
    for (let round = 0; round < 1000; round += 1) out += redactor.push(Buffer.alloc(1000, 'a')).length
    expect(out).toBeLessThan(100)
    expect(redactor.push(Buffer.from('b and more')).toString()).toBe('b and more')
  })
})

/** The automaton against a search that nobody can get wrong. */
test('any secrets in any text, cut anywhere, leave nothing', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '%'), minLength: 8, maxLength: 12 })
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 4 }),
      fc.array(fc.oneof(word, fc.string({ unit: fc.constantFrom('a', 'b', '%'), maxLength: 5 }))),
      fc.nat({ max: 7 }),
      (values, pieces, size) => {
        const secrets = new KnownSecrets(values.map((value) => ({ name: 'S', value })))
        const text = Buffer.from(pieces.join(''))
        const redactor = secrets.redactor(() => undefined)
        const out: Buffer[] = []
        for (let at = 0; at < text.length; at += size + 1)
          out.push(redactor.push(text.subarray(at, at + size + 1)))
        out.push(redactor.end())
        const left = Buffer.concat(out).toString()
        // Between two marks there is no whole secret, and without any nothing has changed.
        expect(values.some((value) => left.includes(value))).toBe(false)
        if (!values.some((value) => text.includes(value))) expect(left).toBe(known.redact(text.toString()))
      },
    ),
  )
})
