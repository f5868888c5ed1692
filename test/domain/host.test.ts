import { domainToUnicode } from 'node:url'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalHost } from '../../src/domain/host.ts'

test.each([
  ['allowed.test', 'allowed.test'],
  ['ALLOWED.Test', 'allowed.test'],
  ['allowed.test.', 'allowed.test'],
  ['a-b.c1.test', 'a-b.c1.test'],
  ['localhost', 'localhost'],
  ['bücher.test', 'xn--bcher-kva.test'],
  ['BÜCHER.test', 'xn--bcher-kva.test'],
  ['xn--bcher-kva.test', 'xn--bcher-kva.test'],
  // Cyrillic letters that look like Latin ones are another name.
  ['аllowed.test', 'xn--llowed-2nf.test'],
  ['1.test', '1.test'],
])('%s is the name %s', (text, host) => {
  expect(canonicalHost(text)).toEqual({ kind: 'name', host })
})

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['127.0.0.1', '127.0.0.1'],
  ['127.0.0.1.', '127.0.0.1'],
  ['１２７.0.0.1', '127.0.0.1'],
  ['[::1]', '[::1]'],
  ['[0:0:0:0:0:0:0:1]', '[::1]'],
  ['[2001:DB8:0::1]', '[2001:db8::1]'],
])('%s is the address %s', (text, host) => {
  expect(canonicalHost(text)).toEqual({ kind: 'address', host })
})

test.each([
  '',
  '.',
  'allowed.test..',
  '.allowed.test',
  'a..test',
  'allowed.test%00.evil.test',
  'allowed.test\0.evil.test',
  'allowed%2etest',
  'user@allowed.test',
  'user:pw@allowed.test',
  'allowed.test:443',
  '[allowed.test]',
  'allowed.test/',
  'allowed.test?x',
  'allowed.test#x',
  String.raw`allowed.test\x`,
  ' allowed.test',
  'allowed.test ',
  'allowed.test\t',
  'allowed.test\r\n',
  'allowed\u00a0.test',
  'a_b.test',
  '-a.test',
  'a-.test',
  `${'a'.repeat(64)}.test`,
  `${'a.'.repeat(126)}test`,
  'xn--zzzzzz99999.test',
  // Addresses as only some programs read them.
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0X7F.0.0.1',
  '127.1',
  '127.0.1',
  '0177.0.0.1',
  '127.0.0.01',
  '127.0.0.256',
  '127.0.0.1.5',

  'allowed.0x7f',
  'allowed.1',
  '::1',
  '2001:db8::1',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[fe80::1%25eth0]',
  '[fe80::1%eth0]',
  '[::1',
  '[]',
  '[::1]x',
  '[127.0.0.1]',
  '[0x7f::1]',
])('%j is none', (text) => {
  expect(canonicalHost(text)).toBeNull()
})

test('a canonical host is its own canonical host, and holds only what a host may', () => {
  fc.assert(
    fc.property(fc.oneof(fc.domain(), fc.ipV4(), fc.string(), fc.string({ unit: 'grapheme' })), (text) => {
      const found = canonicalHost(text)
      if (found === null) return
      expect(canonicalHost(found.host)).toEqual(found)
      expect(found.host).toMatch(/^(?:[a-z0-9.-]+|\[[0-9a-f:]+\])$/)
    }),
  )
})

test('every proper domain is one', () => {
  fc.assert(
    fc.property(fc.domain(), (name) => {
      expect(canonicalHost(name)?.host).toBe(name.toLowerCase())
    }),
  )
  expect(domainToUnicode(canonicalHost('bücher.test')?.host ?? '')).toBe('bücher.test')
})
