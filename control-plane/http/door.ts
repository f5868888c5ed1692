import type { Context, MiddlewareHandler, Next } from 'hono'
import { rateLimiter } from 'hono-rate-limiter'
import type { Access, Admitted } from '../../src/domain/access.ts'
import type { Caller } from '../../src/domain/caller.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { RateLimits } from '../../src/domain/listen.ts'
import { isControl, scopeOf } from '../../src/domain/scopes.ts'
import type { Token } from '../../src/domain/token.ts'
import { isDashboard } from './dashboard/pages.ts'
import { hostRefusal, pageRefusal, senderRefusal, visitRefusal } from './origin.ts'
import { sessionIn } from './session.ts'

declare module 'hono' {
  interface ContextVariableMap {
    caller: Caller
    /** Whether who was let in would be now; throws where that cannot be found out. For answers that last. */
    isIn: () => boolean
    /** What they came with; not set where it was a session. */
    token: Token
    /** A refusal of one who was refused for the same a moment ago: it is not put on record again. */
    again: boolean
    /** Of the rate limiter. */
    rateLimit: { readonly limit: number; readonly used: number }
  }
}

/** How callers from elsewhere are let in. */
export interface Door {
  /** Names that this server has, besides localhost and addresses. */
  readonly hosts: readonly string[]
  readonly perMinute: RateLimits
  /** Whether browsers come over TLS. */
  readonly isSecure: boolean
  /** Where a request comes from, as failures are counted. */
  readonly address: (context: Context) => string
}

/**
 * Lets in who brings a good token for what they want, or a session that began with one. In this order: the host is ours, no
 * web page of somebody else sent it, token or session is good, it is not too often, the token is for such calls. What the
 * role may do is decided further in.
 */
export function doorOf({ hosts, perMinute, isSecure, address }: Door, access: Access): MiddlewareHandler {
  const reads = limiter('token', perMinute.reads, ({ var: { caller } }) => caller.actor.id)
  const calls = limiter('token', perMinute.calls, ({ var: { caller } }) => caller.actor.id)
  const failures = limiter('address', perMinute.failures, address)

  return async (context, next) => {
    const { method, path } = context.req
    const header = (name: string): string | null => context.req.header(name) ?? null
    const host = header('host') ?? new URL(context.req.url).host
    const sender = {
      host,
      isSecure,
      origin: header('origin'),
      site: header('sec-fetch-site'),
      mode: header('sec-fetch-mode'),
      dest: header('sec-fetch-dest'),
    }
    const page = isDashboard(path)
    const foreign = hostRefusal(host, hosts) ?? (page ? visitRefusal(sender) : senderRefusal(sender))
    if (foreign !== null) throw new Failure('not_allowed', foreign)
    const scope = page ? null : scopeOf(method, path)
    if (scope === null) return await next()
    const authorization = header('authorization')
    const session = authorization === null ? sessionIn(context, isSecure) : null
    const found = admitted(access, authorization, session)
    if (found instanceof Failure) {
      return await failures(context, () => {
        const error = header('authorization') === null ? '' : ', error="invalid_token"'
        context.header('www-authenticate', `Bearer realm="cofferdam"${error}`)
        throw found
      })
    }
    if (session !== null && isChange(method)) {
      const refused = pageRefusal(sender)
      if (refused !== null) throw new Failure('not_allowed', refused)
    }
    context.set('caller', found.caller)
    context.set('isIn', () => !(admitted(access, authorization, session) instanceof Failure))
    if (session === null) context.set('token', found.token)
    const goOn: Next = () => {
      if (found.token.scopes.includes(scope)) return next()
      throw new Failure('not_allowed', outOfScope(found.token, scope))
    }
    return await (isControl(method, path) ? calls : reads)(context, goOn)
  }
}

const isChange = (method: string): boolean => !['GET', 'HEAD', 'OPTIONS'].includes(method)

function admitted(access: Access, authorization: string | null, session: string | null): Admitted | Failure {
  const [, text = null] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? []
  if (text === null && session === null)
    return new Failure('unauthorized', 'Send a token: `Authorization: Bearer cfd_…`.')
  try {
    return text === null ? access.admitSession(session ?? '') : access.admit(text)
  } catch (error) {
    if (error instanceof Failure && error.code === 'unauthorized') return error
    throw error
  }
}

const outOfScope = ({ name, scopes }: Token, scope: string): string =>
  `The token ${name} is for ${scopes.join(', ')}, and this needs ${scope}: use another token.`

const windowMs = 60_000

function limiter(
  whose: 'token' | 'address',
  limit: number,
  keyGenerator: (context: Context) => string,
): MiddlewareHandler {
  return rateLimiter({
    windowMs,
    limit,
    keyGenerator,
    standardHeaders: 'draft-7',
    handler: (context) => {
      const { used } = context.get('rateLimit')
      context.set('again', used > limit + 1)
      const why = whose === 'token' ? 'by this token' : 'from this address without a good token'
      throw new Failure(
        'too_many',
        `More than ${limit} requests in a minute ${why}: wait as Retry-After says.`,
      )
    },
  })
}
