import { array, assert, nat, property, tuple, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Hello, readHello } from '../../src/gateway/client-hello.ts'
import { helloBytes, vector } from './hello.ts'

const named = helloBytes({ name: 'a.test' })

describe('a TLS hello', () => {
  it.each<[string, Buffer, Hello]>([
    ['with a name', named, { kind: 'hello', serverName: 'a.test', encrypted: false }],
    ['without a name', helloBytes({ name: null }), { kind: 'hello', serverName: null, encrypted: false }],
    [
      'with an extension that nobody knows',
      helloBytes({ name: 'a.test', more: [[0x1a1a, Buffer.alloc(3)]] }),
      { kind: 'hello', serverName: 'a.test', encrypted: false },
    ],
    ...[0xfe0d, 0xff02, 0xff03, 0xffce].map((type): [string, Buffer, Hello] => [
      `that hides another (${type.toString(16)})`,
      helloBytes({ name: 'a.test', more: [[type, Buffer.alloc(4)]] }),
      { kind: 'hello', serverName: 'a.test', encrypted: true },
    ]),
  ])('%s', (_what, bytes, expected) => {
    expect(readHello(bytes)).toEqual(expected)
  })

  it('is awaited until its last byte, in one record or in many', () => {
    for (const bytes of [
      named,
      helloBytes({ name: 'a.test', record: 1 }),
      helloBytes({ name: 'a.test', record: 50 }),
    ])
      for (let length = 0; length <= bytes.length; length += 1)
        expect([length, readHello(bytes.subarray(0, length)).kind]).toEqual([
          length,
          length < bytes.length ? 'more' : 'hello',
        ])
  })

  it('is read as the same, whatever follows in further records', () => {
    const more = Buffer.concat([named, Buffer.from([20, 3, 3, 0, 1, 1])])
    expect(readHello(more)).toEqual(readHello(named))
  })

  it.each([
    ['an empty name', vector(2, Buffer.concat([Buffer.from([0]), vector(2, Buffer.alloc(0))]))],
    [
      'a name of another kind',
      vector(2, Buffer.concat([Buffer.from([1]), vector(2, Buffer.from('a.test'))])),
    ],
    [
      'a name with a NUL',
      vector(2, Buffer.concat([Buffer.from([0]), vector(2, Buffer.from('a.test\0.evil'))])),
    ],
    [
      'a name with a space',
      vector(2, Buffer.concat([Buffer.from([0]), vector(2, Buffer.from('a.test evil'))])),
    ],
    ['a list that is longer than it says', Buffer.concat([vector(2, Buffer.alloc(0)), Buffer.from('x')])],
    ['a list that ends early', Buffer.from([0, 9, 0])],
  ])('with %s is bad', (_what, body) => {
    expect(readHello(helloBytes({ name: null, more: [[0, body]] })).kind).toBe('bad')
  })

  it('never fails otherwise, and never names what is not in it', () => {
    assert(
      property(array(tuple(nat(named.length - 1), nat(255)), { maxLength: 6 }), (changes) => {
        const bytes = Buffer.from(named)
        for (const [at, value] of changes) bytes[at] = value
        const hello = readHello(bytes)
        expect(['more', 'hello', 'bad']).toContain(hello.kind)
        if (hello.kind === 'hello' && hello.serverName !== null)
          expect(bytes.includes(hello.serverName, 0, 'latin1')).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('is no random bytes', () => {
    assert(
      property(uint8Array({ minLength: 3, maxLength: 300 }), (bytes) => {
        // 22 is what a handshake begins with.
        bytes[0] = bytes[0] === 22 ? 23 : (bytes[0] ?? 0)
        expect(readHello(Buffer.from(bytes)).kind).toBe('bad')
      }),
    )
  })
})
