import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttp, type RequestListener } from 'node:http'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Usage } from '../../src/domain/agent.ts'
import type { BoxKind } from '../../src/domain/box.ts'
import type { Egress, EgressDecision, TunnelRule } from '../../src/domain/egress.ts'
import type { Leak, Overseer, Passage, SpendLeft, Unavailable } from '../../src/domain/gateway.ts'
import { createGateway, type GatewayOptions } from '../../src/gateway/gateway.ts'
import { dialTcp } from '../../src/gateway/network.ts'

// The whole gateway between real sockets. Its resolver and its dialer are the test's own, so that names under .test and public
// addresses lead to servers on loopback, and no packet goes anywhere else.

/** A public address, as far as the gateway can tell. */
export const publicAddress = '93.184.216.34'

export interface LabOptions extends Partial<Omit<GatewayOptions, 'clock' | 'dial'>> {
  readonly tunnels?: readonly TunnelRule[]
  readonly kind?: BoxKind
  readonly boxUpstreams?: readonly string[]
  readonly boxLimits?: Partial<Egress['limits']>
  /** What names lead to; every other name is not there. */
  readonly names?: Readonly<Record<string, readonly string[]>>
  /** Where an address leads, by `address:port` or `address`; all others to `far`. Null: nobody answers. */
  readonly places?: Readonly<Record<string, number | null>>
  /** The port of the server that is dialled. */
  readonly far?: number
  readonly overseer?: Partial<Overseer>
  readonly left?: SpendLeft
}

export interface Lab {
  readonly passage: Passage
  /** All that happened, in order: what was recorded, resolved and dialled. */
  readonly story: readonly string[]
  readonly decisions: readonly EgressDecision[]
  readonly spent: readonly Usage[]
  readonly exhausted: readonly string[]
  readonly leaks: readonly Leak[]
  readonly unavailable: readonly Unavailable[]
  /** What is left, which is charged like a task's budgets. */
  readonly purse: { tokens: number | null; costUsd: number | null }
  /** A connection of the box. */
  readonly connect: () => Promise<Wire>
  /** One connection that sends these bytes and reads until it is closed. */
  readonly exchange: (bytes: string | Buffer) => Promise<string>
  /** One plain request by absolute address or by a path of the gateway, on a connection of its own. */
  readonly ask: (
    method: string,
    url: string,
    more?: { readonly headers?: readonly string[]; readonly body?: string | Buffer },
  ) => Promise<Reply>
  /** Opens a tunnel: the connection after 200, or the answer that refused it. */
  readonly tunnel: (
    target: string,
  ) => Promise<{ readonly wire: Wire; readonly status: number; readonly text: string }>
  /** The last decision, without what differs from run to run. */
  readonly last: () => Pick<EgressDecision, 'kind' | 'host' | 'port' | 'verdict' | 'rule'> | undefined
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** One end of a connection, which keeps what came. */
export class Wire {
  readonly socket: Socket
  private bytes = Buffer.alloc(0)
  private wake = (): void => undefined
  /** The other end has closed its half, or all. */
  ended = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, chunk])
      this.wake()
    })
    const over = (): void => {
      this.ended = true
      this.wake()
    }
    socket.on('end', over).on('close', over).on('error', over)
  }

  get got(): string {
    return this.bytes.toString('latin1')
  }

  send(bytes: string | Buffer): void {
    this.socket.write(bytes)
  }

  /** Waits until what came holds this text, or the connection has ended; and forgets what came up to there. */
  async until(text: string): Promise<string> {
    await this.wait(() => this.got.includes(text) || this.ended)
    const at = this.got.indexOf(text)
    const taken = this.got.slice(0, at === -1 ? undefined : at + text.length)
    this.bytes = this.bytes.subarray(taken.length)
    return taken
  }

  async untilEnd(): Promise<string> {
    await this.wait(() => this.ended)
    return this.got
  }

  private async wait(done: () => boolean): Promise<void> {
    let late: NodeJS.Timeout | undefined
    const lateness = new Promise<never>((_resolve, reject) => {
      late = setTimeout(() => reject(new Error(`nothing more came after: ${this.got.slice(0, 500)}`)), 8000)
    })
    try {
      while (!done()) await Promise.race([new Promise<void>((resolve) => (this.wake = resolve)), lateness])
    } finally {
      clearTimeout(late)
    }
  }
}

export const rule = (host: string, some: Partial<TunnelRule> = {}): TunnelRule => ({
  host,
  ports: [443],
  inside: false,
  why: 'policy',
  ...some,
})

export async function openLab(options: LabOptions = {}): Promise<Lab> {
  const { names = {}, places = {}, far = 1, left = { tokens: null, costUsd: null } } = options
  const story: string[] = []
  const decisions: EgressDecision[] = []
  const spent: Usage[] = []
  const exhausted: string[] = []
  const leaks: Leak[] = []
  const unavailable: Unavailable[] = []
  const purse = { ...left }
  const resolve = async (name: string): Promise<readonly string[]> => {
    const found = names[name]
    if (found === undefined) throw new Error('no such name')
    return found
  }
  const gateway = createGateway({
    upstreams: options.upstreams ?? [],
    secrets: options.secrets ?? [],
    prices: options.prices ?? {},
    clock: Date.now,
    limits: options.limits ?? {},
    resolve: (name) => {
      story.push(`resolve ${name}`)
      return (options.resolve ?? resolve)(name)
    },
    dial: async (address, port, signal) => {
      story.push(`dial ${address}:${port}`)
      const place = places[`${address}:${port}`] ?? places[address]
      if (places[address] === null) return new Promise((_resolve, reject) => hung(signal, reject))
      return dialTcp('127.0.0.1', place ?? far, signal)
    },
  })
  const overseer: Overseer = {
    decided(decision) {
      decisions.push(decision)
      story.push(`${decision.bytesUp === null ? 'decided' : 'ended'} ${decision.verdict} ${decision.rule}`)
    },
    left: () => purse,
    spent(usage) {
      spent.push(usage)
      story.push('spent')
      if (purse.tokens !== null) purse.tokens -= usage.inputTokens + usage.outputTokens
      if (purse.costUsd !== null) purse.costUsd -= usage.costUsd ?? 0
    },
    exhausted: (budget) => void exhausted.push(budget),
    unavailable: (one) => void unavailable.push(one),
    leaked: (leak) => void leaks.push(leak),
    ...options.overseer,
  }
  const limits = { connections: 32, upMb: 8, downMb: 8, ...options.boxLimits }
  const egress = {
    tunnels: options.tunnels ?? [],
    upstreams: options.boxUpstreams ?? (options.upstreams ?? []).map(({ name }) => name),
    limits,
  }
  const passage = gateway.open({ name: 'box', kind: options.kind ?? 'agent', egress }, overseer)

  // The channel, as the engine makes it.
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-gateway-'))
  const path = join(folder, 's')
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    passage.accept(socket)
  })
  await new Promise<void>((done) => server.listen({ path, backlog: 1024 }, done))
  const open = new Set<Socket>()
  onTestFinished(async () => {
    for (const socket of open) socket.destroy()
    await passage.close()
    await new Promise((done) => server.close(done))
    rmSync(folder, { recursive: true, force: true })
  })

  const lab: Lab = {
    passage,
    story,
    decisions,
    spent,
    exhausted,
    leaks,
    unavailable,
    purse,
    async connect() {
      const socket = connect({ path, allowHalfOpen: true })
      open.add(socket)
      await new Promise<void>((done, failed) => socket.once('connect', done).once('error', failed))
      return new Wire(socket)
    },
    async exchange(bytes) {
      const wire = await lab.connect()
      wire.send(bytes)
      return wire.untilEnd()
    },
    async ask(method, url, { headers = [], body } = {}) {
      const authority = /^http:\/\/([^/?#]*)/.exec(url)?.[1] ?? '127.0.0.1:3128'
      const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
      const hosts = headers.some((each) => /^host:/i.test(each)) ? [] : [`Host: ${authority}`]
      const head = [`${method} ${url} HTTP/1.1`, ...hosts, ...length, ...headers, 'Connection: close', '', '']
      return replyOf(
        await lab.exchange(Buffer.concat([Buffer.from(head.join('\r\n')), Buffer.from(body ?? '')])),
      )
    },
    async tunnel(target) {
      const wire = await lab.connect()
      wire.send(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
      const head = await wire.until('\r\n\r\n')
      const status = Number(head.split(' ')[1])
      return { wire, status, text: status === 200 ? '' : await wire.untilEnd() }
    },
    last() {
      const last = decisions.at(-1)
      if (last === undefined) return undefined
      const { kind, host, port, verdict, rule: by } = last
      return { kind, host, port, verdict, rule: by }
    },
  }
  return lab
}

function hung(signal: AbortSignal, reject: (error: Error) => void): void {
  if (signal.aborted) reject(new Error('given up'))
  signal.addEventListener('abort', () => reject(new Error('given up')))
}

export function replyOf(text: string): Reply {
  const at = text.indexOf('\r\n\r\n')
  const [line = '', ...fields] = text.slice(0, at).split('\r\n')
  const headers = Object.fromEntries(
    fields.map((field) => [
      field.slice(0, field.indexOf(':')).toLowerCase(),
      field.slice(field.indexOf(':') + 2),
    ]),
  )
  const rest = text.slice(at + 4)
  const body = headers['transfer-encoding'] === 'chunked' ? unchunked(rest) : rest
  return { status: Number(line.split(' ')[1]), headers, body }
}

/** What chunks hold; a cut body is marked. */
function unchunked(text: string): string {
  let out = ''
  for (let rest = text; ;) {
    const at = rest.indexOf('\r\n')
    const size = Number.parseInt(rest.slice(0, at), 16)
    if (size === 0) return out
    if (at === -1 || Number.isNaN(size)) return `${out}<cut>`
    out += rest.slice(at + 2, at + 2 + size)
    rest = rest.slice(at + 2 + size + 2)
  }
}

/** A TCP server on loopback that keeps what comes, one wire for each connection. */
export async function openFar(onConnection: (wire: Wire) => void = () => undefined) {
  const wires: Wire[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const wire = new Wire(socket)
    wires.push(wire)
    onConnection(wire)
  })
  const port = await listening(server)
  return { port, wires }
}

/** A server that sends back whatever comes, and closes its half when the other one does. */
export const openEcho = () =>
  openFar(({ socket }) => {
    socket.pipe(socket)
  })

/** An HTTP server on loopback; `seen` has the raw bytes of all connections. */
export async function openWeb(respond: RequestListener) {
  const seen: string[] = []
  const sockets = new Set<Socket>()
  const server = createHttp({ keepAliveTimeout: 5000 }, respond)
  server.on('connection', (socket) => {
    sockets.add(socket)
    const index = seen.push('') - 1
    socket.on('data', (chunk) => (seen[index] = (seen[index] ?? '') + chunk.toString('latin1')))
  })
  const port = await listening(server, () => {
    for (const socket of sockets) socket.destroy()
  })
  return { port, seen }
}

async function listening(server: Server, end: () => void = () => undefined): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(async () => {
    end()
    for (const socket of sockets) socket.destroy()
    await new Promise((done) => server.close(done))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
