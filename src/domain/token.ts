import { createHash, timingSafeEqual } from 'node:crypto'
import type { Millis } from './brand.ts'
import type { Role } from './caller.ts'
import { base32 } from './ids.ts'
import type { Scope } from './scopes.ts'
import type { Actor } from './task.ts'

/** What is known of a token besides its secret. Its name is what goes on record with what is done by it. */
export interface Token {
  /** Ten base32 characters; public. */
  readonly id: string
  readonly name: string
  readonly role: Role
  /** Narrow what the role may do. */
  readonly scopes: readonly Scope[]
  readonly createdAt: Millis
  readonly createdBy: Actor
  /** Null is never. */
  readonly expiresAt: Millis | null
  readonly revokedAt: Millis | null
  /** To the minute. */
  readonly lastUsedAt: Millis | null
}

/** What a token is asked for with. */
export interface TokenRequest {
  readonly name: string
  readonly role: Role
  readonly scopes: readonly Scope[]
  readonly expiresAt: Millis | null
}

/** A token with its text, which is shown this once and kept nowhere. */
export interface NewToken {
  readonly token: Token
  /** `cfd_<id>_<secret>` */
  readonly secret: string
}

const pattern = /^cfd_([a-z2-7]{10})_([a-z2-7]{32})$/

/** Id and text of a new token, of 42 random bytes: the secret has 160 bits. */
export function tokenText(random: Uint8Array): { readonly id: string; readonly text: string } {
  if (random.length < 42) throw new Error(`a token needs 42 random bytes, got ${random.length}`)
  const id = base32(random.subarray(0, 10))
  return { id, text: `cfd_${id}_${base32(random.subarray(10, 42))}` }
}

/** The id of what is written as a token is; null where it is none. */
export function tokenIdIn(text: string): string | null {
  return pattern.exec(text)?.[1] ?? null
}

/** What of a token is kept: SHA-256 in hex. The secret is random, so it needs no salt and no slow hash. */
export function tokenHash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Compares in the same time, whatever is different. */
export function isTokenOf(text: string, hash: string): boolean {
  const [mine, kept] = [Buffer.from(tokenHash(text), 'hex'), Buffer.from(hash, 'hex')]
  return mine.length === kept.length && timingSafeEqual(mine, kept)
}

/** Why a token is good no more, with what to do; null where it is good. */
export function tokenRefusal({ name, expiresAt, revokedAt }: Token, now: Millis): string | null {
  const again = 'an owner makes another with `cofferdam token create`'
  if (revokedAt !== null) return `The token ${name} is revoked: ${again}.`
  if (expiresAt !== null && expiresAt <= now) return `The token ${name} has expired: ${again}.`
  return null
}
