import type { Access, Admitted } from '../src/domain/access.ts'
import type { Caller } from '../src/domain/caller.ts'
import { Failure } from '../src/domain/failure.ts'
import { adminRefusal, roleScopesRefusal, tokenScopesRefusal } from '../src/domain/rights.ts'
import {
  isSession,
  mostSessions,
  type Session,
  sessionHash,
  sessionMs,
  sessionText,
} from '../src/domain/session.ts'
import { isTokenOf, type Token, tokenHash, tokenIdIn, tokenRefusal, tokenText } from '../src/domain/token.ts'
import type { AccessStore, KeptToken } from './store/access.ts'

interface AccessDeps {
  readonly store: { readonly access: AccessStore }
  readonly clock: () => number
  readonly random: (bytes: number) => Uint8Array
}

/** A use is written down when the last one that was is so long ago, ms: a write for each call would be too many. */
const usedEveryMs = 60_000

export function openAccess({ store: { access: store }, clock, random }: AccessDeps): Access {
  const owner = (caller: Caller): void => {
    const refused = adminRefusal(caller)
    if (refused !== null) throw new Failure('not_allowed', refused)
  }
  // One process has the database: what it has read of a token stays so until it writes it. There are as many as tokens.
  const read = new Map<string, KeptToken>()
  const byId = (id: string): KeptToken | null => {
    const kept = read.get(id) ?? store.token(id)
    if (kept !== null) read.set(id, kept)
    return kept
  }
  const named = (which: string): KeptToken | null =>
    store.token(which) ??
    store.tokens().find(({ name, revokedAt }) => name === which && revokedAt === null) ??
    null

  // The same holds for sessions. There are as many as browsers that came since this process began.
  const sessions = new Map<string, Session>()
  const sessionOf = (hash: string): Session | null => {
    const session = sessions.get(hash) ?? store.session(hash)
    if (session !== null) sessions.set(hash, session)
    return session
  }
  const signOut = (text: string): void => {
    const hash = sessionHash(text)
    sessions.delete(hash)
    store.endSession(hash)
  }
  const admitted = (kept: KeptToken): Admitted => {
    const now = clock()
    const refused = tokenRefusal(kept, now)
    if (refused !== null) throw new Failure('unauthorized', refused)
    if (now - (kept.lastUsedAt ?? 0) >= usedEveryMs) {
      store.usedToken(kept.id, now)
      read.set(kept.id, { ...kept, lastUsedAt: now })
    }
    const { name, role, scopes } = kept
    return { token: shown(kept), caller: { actor: { kind: 'token', id: name }, role, scopes } }
  }

  return {
    createToken(request, caller) {
      owner(caller)
      const refused = tokenScopesRefusal(caller, request.scopes)
      if (refused !== null) throw new Failure('not_allowed', refused)
      const useless = roleScopesRefusal(request.role, request.scopes)
      if (useless !== null) throw new Failure('bad_request', useless)
      const now = clock()
      if (request.expiresAt !== null && request.expiresAt <= now)
        throw new Failure('bad_request', 'The token would have expired already: name a later time.')
      const { id, text } = tokenText(random(42))
      const times = { createdAt: now, revokedAt: null, lastUsedAt: null }
      const token: Token = { ...request, id, createdBy: caller.actor, ...times }
      if (store.addToken({ ...token, hash: tokenHash(text) })) return { token, secret: text }
      throw new Failure(
        'conflict',
        `There is a token ${request.name} already: revoke it with \`cofferdam token revoke ${request.name}\`, or take another name.`,
      )
    },
    tokens(caller) {
      owner(caller)
      return store.tokens().map(shown)
    },
    revokeToken(which, caller) {
      owner(caller)
      const token = named(which)
      if (token === null)
        throw new Failure('not_found', `There is no token ${which}: \`cofferdam token list\` shows them.`)
      store.revokeToken(token.id, clock())
      read.delete(token.id)
      return shown(store.token(token.id) ?? token)
    },
    admit(text): Admitted {
      const id = tokenIdIn(text)
      const kept = id === null ? null : byId(id)
      // One sentence for an unknown id and a wrong secret: who guesses learns of neither.
      if (kept === null || !isTokenOf(text, kept.hash)) throw new Failure('unauthorized', unknown)
      return admitted(kept)
    },
    signIn({ id }, former) {
      const now = clock()
      const text = sessionText(random(32))
      const session = { hash: sessionHash(text), token: id, createdAt: now, expiresAt: now + sessionMs }
      if (former !== null) signOut(former)
      for (const ended of store.addSession(session, mostSessions)) sessions.delete(ended)
      return { session, text }
    },
    admitSession(text): Admitted {
      const session = isSession(text) ? sessionOf(sessionHash(text)) : null
      const kept = session === null || session.expiresAt <= clock() ? null : byId(session.token)
      if (kept === null) throw new Failure('unauthorized', over)
      return admitted(kept)
    },
    signOut,
    record: (row) => store.addAudit({ ...row, at: clock() }),
    audit(filter, caller) {
      owner(caller)
      return store.audit(filter)
    },
  }
}

const unknown =
  'This token is not known here: check it, or have an owner make one with `cofferdam token create` on the server.'

const over = 'This session is over: sign in again with a token.'

const shown = ({ hash: _, ...token }: KeptToken): Token => token
