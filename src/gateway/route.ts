import { once } from 'node:events'
import { Agent, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { Failure } from '../domain/failure.ts'
import { bare, canonicalHost } from './host.ts'
import { dialFirst, type Network } from './reach.ts'
import { isRefusal } from './refusal.ts'
import { within } from './network.ts'
import type { Upstream } from './upstreams/upstream.ts'

/** An upstream with its connections, which are kept between calls. */
export class Route {
  readonly upstream: Upstream
  readonly host: string
  readonly port: number
  private readonly name: string
  private readonly isTls: boolean
  private readonly base: string
  private readonly network: Network
  private readonly agent: Agent

  /** Throws `Failure('bad_config')` where the origin is none. */
  constructor(upstream: Upstream, network: Network) {
    this.upstream = upstream
    this.network = network
    const url = URL.canParse(upstream.origin) ? new URL(upstream.origin) : null
    const host = canonicalHost(url?.hostname ?? '')
    if (
      url === null ||
      host === null ||
      !/^https?:$/.test(url.protocol) ||
      url.username !== '' ||
      url.search !== ''
    )
      throw new Failure(
        'bad_config',
        `The origin of the upstream "${upstream.name}" is not one such as https://host.`,
      )
    this.isTls = url.protocol === 'https:'
    this.host = host.host
    this.name = bare(host.host)
    this.port = url.port === '' ? (this.isTls ? 443 : 80) : Number(url.port)
    this.base = url.pathname.replace(/\/$/, '')
    this.agent = new KeptConnections(() => this.connect())
  }

  /** Sends a whole request; resolves to the answer's head. Rejects where none came. */
  async call(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    body: readonly Buffer[],
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    for (;;) {
      const call = request({
        agent: this.agent,
        method,
        path: `${this.base}${path}`,
        setHost: false,
        headers: { ...headers, host: this.authority },
        signal,
      })
      for (const chunk of body) call.write(chunk)
      call.end()
      try {
        return await answerOf(call)
      } catch (error) {
        // A kept connection that the other end had closed just then: the request was never read.
        if (!call.reusedSocket || signal.aborted || !isGone(error)) throw error
      }
    }
  }

  private get authority(): string {
    return this.port === (this.isTls ? 443 : 80) ? this.host : `${this.host}:${this.port}`
  }

  /** The operator named the origin, so its address may be any. */
  private async connect(): Promise<Duplex> {
    const { resolve, limits } = this.network
    const signal = AbortSignal.timeout(limits.resolveMs + limits.dialMs)
    const isName = canonicalHost(this.host)?.kind === 'name'
    const addresses = isName
      ? await within(resolve(this.name), limits.resolveMs, signal, 'the name')
      : [this.name]
    const open = new AbortController()
    const outside = await dialFirst(addresses.slice(0, 3), this.port, this.network, open.signal, () => true)
    if (isRefusal(outside)) throw new Error(outside.text)
    // A provider that closes its half of a kept connection has closed it: a call on it would wait for ever.
    outside.allowHalfOpen = false
    if (!this.isTls) return outside
    const secure = connectTls({
      socket: outside,
      ALPNProtocols: ['http/1.1'],
      ...(isName ? { servername: this.name } : { host: this.name }),
    })
    try {
      await once(secure, 'secureConnect', { signal })
      return secure
    } catch (error) {
      secure.destroy()
      throw error
    }
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
}

async function answerOf(call: ClientRequest): Promise<IncomingMessage> {
  const [answer] = (await once(call, 'response')) as [IncomingMessage]
  call.on('error', () => undefined)
  return answer
}

type Created = (error: Error | null, connection?: Duplex) => void

/** Node's own pool, over connections that were made elsewhere. */
class KeptConnections extends Agent {
  private readonly connect: () => Promise<Duplex>

  constructor(connect: () => Promise<Duplex>) {
    super({ keepAlive: true, maxFreeSockets: 8, timeout: 0 })
    this.connect = connect
  }

  override createConnection(_options: object, created: Created): undefined {
    this.connect().then(
      (connection) => created(null, connection),
      (error: unknown) => created(error instanceof Error ? error : new Error(String(error))),
    )
    return undefined
  }
}
