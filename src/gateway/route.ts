import { once } from 'node:events'
import { Agent, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { Failure, systemCodeOf } from '../domain/failure.ts'
import { bare, canonicalHost } from '../domain/host.ts'
import { dialFirst, type Network } from './reach.ts'
import { isRefusal } from './refusal.ts'
import { within } from './network.ts'
import type { Upstream } from './upstreams/upstream.ts'

/** A whole request, as it goes out. */
export interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  readonly body: readonly Buffer[]
  readonly isPaid: boolean
}

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
    this.agent = new KeptConnections(() => this.connect(), network.limits.keptMs)
  }

  /**
   * Resolves to the answer's head; rejects where none came. Where a kept connection was gone just then, a call that costs
   * nothing is sent once more, over a new one. A paid one never is: whether the provider had read it nobody knows, and it
   * would charge for both while the task's budget counts one. Whoever made the call may repeat it, as another one.
   */
  async call(sent: Sent, signal: AbortSignal): Promise<IncomingMessage> {
    const first = this.send(sent, signal)
    try {
      return await answerOf(first)
    } catch (error) {
      if (sent.isPaid || !first.reusedSocket || signal.aborted || !isGone(error)) throw error
    }
    for (const kept of Object.values(this.agent.freeSockets).flat()) kept?.destroy()
    return await answerOf(this.send(sent, signal))
  }

  private send({ method, path, headers, body }: Sent, signal: AbortSignal): ClientRequest {
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
    return call
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

/** The connection broke without an answer. */
function isGone(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE'].includes(systemCodeOf(error))
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

  constructor(connect: () => Promise<Duplex>, keptMs: number) {
    // Node lets a connection go when it was unused for so long, or shortly before its server said that it would.
    super({ keepAlive: true, maxFreeSockets: 8, timeout: keptMs })
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
