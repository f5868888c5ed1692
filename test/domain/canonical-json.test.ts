import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson, sha256 } from '../../src/domain/canonical-json.ts'

test.each([
  [{ b: 1, a: [{ d: null, c: 'x' }] }, '{"a":[{"c":"x","d":null}],"b":1}'],
  [{ a: undefined, b: true }, '{"b":true}'],
  [{ Z: 1, a: 2, é: 3 }, '{"Z":1,"a":2,"é":3}'],
  [JSON.parse('{"__proto__":1,"a":2}'), '{"__proto__":1,"a":2}'],
  [null, 'null'],
  [{ a: ['x\ud83d', '\udea3', '🚣'] }, '{"a":["x\ufffd","\ufffd","🚣"]}'],
])('%j has one text (%#)', (value, text) => {
  expect(canonicalJson(value)).toBe(text)
})

test('the order in which keys were written never matters, and nothing is lost', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const turned = Object.fromEntries(Object.entries(value).toReversed())
      expect(canonicalJson(turned)).toBe(canonicalJson(value))
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('the hash is that of the bytes', () => {
  expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  expect(sha256(Buffer.from('abc'))).toBe(sha256('abc'))
})
