import type { Agent as Connections } from 'undici'
import { healthSchema } from '../domain/answers.ts'
import { Failure } from '../domain/failure.ts'
import { type FetchLike, jsonOf, neverConnected, Unreachable } from './fetch.ts'
import { undici } from './undici.ts'

/** A server, and what it is asked with. */
export interface ServerPlace {
  /** `https://host:port` */
  readonly origin: string
  readonly token: string
}

const health = '/healthz'

/**
 * Talks to the control plane of a server over TCP. Besides `Unreachable` it rejects with `Failure('server')` where what
 * answers there is not to be trusted or is no Cofferdam.
 */
export function serverFetch({ origin, token }: ServerPlace): FetchLike & Disposable {
  let agent: Connections | null = null
  const call: FetchLike = async (route, { signal, headers, ...call }) => {
    const { Agent, fetch } = undici()
    agent ??= new Agent({
      connect: { timeout: 5000 },
      pipelining: 0,
      bodyTimeout: 0,
      headersTimeout: 0,
    })
    // Whether it is a Cofferdam is asked without the token.
    const proof = route === health ? {} : { authorization: `Bearer ${token}` }
    const init = {
      ...call,
      headers: { ...headers, ...proof },
      dispatcher: agent,
      redirect: 'manual' as const,
      ...(signal === undefined ? {} : { signal }),
    }
    try {
      const answer = await fetch(`${origin}${route}`, init)
      refuseStranger(origin, answer.status, answer.headers.get('content-type') ?? '')
      return answer
    } catch (error) {
      if (signal?.aborted === true || error instanceof Failure) throw error
      throw tlsFailure(origin, error) ?? new Unreachable(!neverConnected(error), error)
    }
  }
  return Object.assign(call, { [Symbol.dispose]: () => void agent?.destroy() })
}

/** Rejects unless a Cofferdam answers there. */
export async function greet(fetch: FetchLike, origin: string, signal: AbortSignal): Promise<void> {
  const answer = await fetch(health, { method: 'GET', headers: {}, signal })
  const text = await answer.text()
  if (!healthSchema.safeParse(jsonOf(text)).success) throw stranger(origin, 'it is another program')
}

/** What is in front of a server, or in its place, does not speak as it does. */
function refuseStranger(origin: string, status: number, type: string): void {
  if (status >= 300 && status < 400 && status !== 304)
    throw stranger(origin, `it leads elsewhere (status ${status})`)
  if (status >= 400 && !type.includes('json'))
    throw stranger(origin, `it is another program, or a proxy whose server is down (status ${status})`)
}

const stranger = (origin: string, why: string): Failure =>
  new Failure('server', `What answers at ${origin} is no Cofferdam: ${why}. Check the address.`)

/** Of TLS, as Node and OpenSSL name them. */
const untrusted =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|EPROTO|HOSTNAME_MISMATCH|ERR_OSSL)/

function tlsFailure(origin: string, error: unknown): Failure | null {
  const cause = error instanceof Error ? error.cause : undefined
  if (!(cause instanceof Error) || !('code' in cause) || !untrusted.test(String(cause.code))) return null
  return new Failure(
    'server',
    `TLS with ${origin} fails (${String(cause.code)}): check the address; for a certificate of your own ` +
      'name its authority in NODE_EXTRA_CA_CERTS.',
    { cause },
  )
}
