import type { AuditFilter, AuditRow } from './audit.ts'
import type { Caller } from './caller.ts'
import type { NewSession } from './session.ts'
import type { NewToken, Token, TokenRequest } from './token.ts'

/** A caller who was let in by a token. */
export interface Admitted {
  readonly caller: Caller
  readonly token: Token
}

/** Who is let in from elsewhere, and the record of what was asked for. Methods throw `Failure`. */
export interface Access {
  /** Throws `not_allowed` where the caller is no owner, `conflict` where the name is taken. */
  createToken(request: TokenRequest, caller: Caller): NewToken
  /** Newest first, also those that are good no more. */
  tokens(caller: Caller): readonly Token[]
  /** By id, or by the name of one that is not revoked. Once more is no error. Throws `not_found`. */
  revokeToken(which: string, caller: Caller): Token
  /** Throws `unauthorized`, with what to do, where this is no good token. */
  admit(text: string): Admitted
  /**
   * Begins a session of a browser that came with this token, and ends the one that it had.
   * @param former the text of that, which may be none
   */
  signIn(token: Token, former: string | null): NewSession
  /** Throws `unauthorized`, with what to do, where this is no session, or none any more. */
  admitSession(text: string): Admitted
  /** Ends a session. What is none is no error. */
  signOut(text: string): void
  /** Adds to the audit log. */
  record(row: Omit<AuditRow, 'seq' | 'at'>): void
  /** Newest first. Throws `not_allowed` where the caller is no owner. */
  audit(filter: AuditFilter, caller: Caller): readonly AuditRow[]
}
