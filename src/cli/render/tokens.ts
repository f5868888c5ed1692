import { type Token, tokenRefusal } from '../../domain/token.ts'
import { columns, moment, plain } from './text.ts'

/** Tokens as a table; what is good no more says so. */
export function tokenLines(tokens: readonly Token[], now: number): readonly string[] {
  const head = ['NAME', 'ROLE', 'SCOPES', 'STATE', 'EXPIRES', 'LAST USED', 'ID']
  return columns([head, ...tokens.map((token) => cells(token, now))])
}

function cells(token: Token, now: number): readonly string[] {
  const { id, name, role, scopes, expiresAt, revokedAt, lastUsedAt } = token
  const gone = revokedAt === null ? 'expired' : 'revoked'
  return [
    plain(name),
    role,
    scopes.join(','),
    tokenRefusal(token, now) === null ? 'good' : gone,
    expiresAt === null ? 'never' : moment(expiresAt),
    lastUsedAt === null ? 'never' : moment(lastUsedAt),
    id,
  ]
}
