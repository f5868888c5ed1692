import { createHash } from 'node:crypto'
import type { Millis } from './brand.ts'

/** A browser that was let in by a token. It can do what the token can, for as long as that is good. */
export interface Session {
  /** SHA-256 of its text, hex; the text itself is in the browser's cookie and nowhere else. */
  readonly hash: string
  /** The id of the token. */
  readonly token: string
  readonly createdAt: Millis
  readonly expiresAt: Millis
}

/** A session with its text, which is shown this once. */
export interface NewSession {
  readonly session: Session
  /** `cfs_<secret>` */
  readonly text: string
}

/** How long a session lasts, ms. */
export const sessionMs = 14 * 24 * 60 * 60 * 1000

/** How many sessions a token has at once; the oldest of more than these ends. */
export const mostSessions = 20

const pattern = /^cfs_[\w-]{43}$/

/** The text of a new session, of 32 random bytes. */
export function sessionText(random: Uint8Array): string {
  if (random.length < 32) throw new Error(`a session needs 32 random bytes, got ${random.length}`)
  return `cfs_${Buffer.from(random.subarray(0, 32)).toString('base64url')}`
}

/** Whether this is written as a session is. */
export const isSession = (text: string): boolean => pattern.test(text)

/** What of a session is kept, and found again. It is random, so it needs no salt and no slow hash. */
export function sessionHash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
