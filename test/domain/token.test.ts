import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  isTokenOf,
  type Token,
  tokenHash,
  tokenIdIn,
  tokenRefusal,
  tokenText,
} from '../../src/domain/token.ts'
import { aPerson, aTime } from '../support/task.ts'

const token: Token = {
  id: 'aaaaaaaaaa',
  name: 'ci',
  role: 'operator',
  scopes: ['read'],
  createdAt: aTime,
  createdBy: aPerson,
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
}

describe('a token', () => {
  it('has its id in its text, and 160 bits that nobody knows', () => {
    const { id, text } = tokenText(randomBytes(42))
    expect(tokenIdIn(text)).toBe(id)
    expect(text).toMatch(/^cfd_[a-z2-7]{10}_[a-z2-7]{32}$/)
    expect(() => tokenText(randomBytes(41))).toThrow(/42/)
  })

  it('is known by its hash, and by no other', () => {
    const { text } = tokenText(randomBytes(42))
    expect(isTokenOf(text, tokenHash(text))).toBe(true)
    for (const other of ['', text.slice(1), `${text} `, text.toUpperCase()])
      expect(isTokenOf(other, tokenHash(text))).toBe(false)
    expect(isTokenOf(text, 'no hash')).toBe(false)
  })

  it.each<[string, Partial<Token>, RegExp | null]>([
    ['good for ever', {}, null],
    ['good for a while', { expiresAt: aTime + 1 }, null],
    ['at the moment that it expires', { expiresAt: aTime }, /has expired/],
    ['revoked', { revokedAt: aTime - 1, expiresAt: aTime - 2 }, /is revoked/],
  ])('%s', (_name, change, refusal) => {
    const told = tokenRefusal({ ...token, ...change }, aTime)
    expect(told).toEqual(refusal === null ? null : expect.stringMatching(refusal))
  })
})
