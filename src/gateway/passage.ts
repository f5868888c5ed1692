import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { EgressCounts } from '../domain/egress.ts'
import type { Passage } from '../domain/gateway.ts'
import { refuse, refuseRaw } from './answer.ts'
import { forward } from './forward.ts'
import { raising } from './next-step.ts'
import { denied, type Refusal } from './refusal.ts'
import type { BoxContext } from './box-context.ts'
import { readConnect, readRequest, type Request } from './target.ts'
import { tunnel } from './tunnel.ts'
import { upstreamCall } from './upstream-call.ts'

/** One connection of a box. */
interface Connection {
  readonly stream: Duplex
  /** Aborted when the connection is over: ends all that was begun for it. */
  readonly over: AbortController
  /** Runs while a request's head is awaited. */
  timer: NodeJS.Timeout | null
  busy: boolean
}

/**
 * The requests of one box. Node's HTTP server reads them, and never listens: connections are handed to it. Its own time-outs
 * need a listening server, so they are kept here.
 */
export class BoxPassage implements Passage {
  readonly #context: BoxContext
  readonly #server: Server
  readonly #connections = new Map<Duplex, Connection>()
  readonly #work = new Set<Promise<void>>()
  readonly #onClose: () => void
  #closed = false

  /** `onClose` may be called more than once. */
  constructor(context: BoxContext, onClose: () => void) {
    this.#context = context
    this.#onClose = onClose
    this.#server = createServer({
      maxHeaderSize: context.network.limits.headBytes,
      insecureHTTPParser: false,
      requireHostHeader: false,
      keepAliveTimeout: 0,
      noDelay: true,
    })
    const respond = (request: IncomingMessage, response: ServerResponse): void =>
      this.#request(request, response, readRequest(request.url ?? ''))
    this.#server.on('request', respond)
    this.#server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      response.writeContinue()
      respond(request, response)
    })
    // Node would answer it by itself, without a word on record.
    this.#server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) =>
      this.#request(request, response, {
        kind: 'unreadable',
        asked: request.url ?? '',
        why: 'expects what the gateway does not do',
      }),
    )
    this.#server.on('connect', (request: IncomingMessage, stream: Duplex, head: Buffer) =>
      this.#connect(request, stream, head),
    )
    this.#server.on('clientError', (error: NodeJS.ErrnoException, stream: Duplex) =>
      this.#unreadable(error, stream),
    )
  }

  accept(connection: NodeJS.ReadWriteStream): void {
    // Whatever an engine hands over, a socket or a stream that stands for one, is a Duplex.
    const stream = connection as Duplex
    stream.on('error', () => stream.destroy())
    if (this.#closed) return void stream.destroy()
    if (this.#connections.size >= this.#context.egress.limits.connections) {
      const most = this.#context.egress.limits.connections
      return this.#turnAway(
        stream,
        denied(
          'connections',
          `This box has its ${most} connections open already: close one first. For more, ${raising('connections')}.`,
          503,
        ),
      )
    }
    const one: Connection = { stream, over: new AbortController(), timer: null, busy: false }
    this.#connections.set(stream, one)
    stream.once('close', () => {
      this.#connections.delete(stream)
      if (one.timer !== null) clearTimeout(one.timer)
      one.over.abort()
    })
    this.#awaitHead(one)
    this.#server.emit('connection', stream)
  }

  counts(): EgressCounts {
    return this.#context.ledger.counts()
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const { stream } of this.#connections.values()) stream.destroy()
    while (this.#work.size > 0) await Promise.all(this.#work)
    this.#context.ledger.close()
    this.#onClose()
  }

  #awaitHead(one: Connection): void {
    one.timer = setTimeout(() => one.stream.destroy(), this.#context.network.limits.headMs)
  }

  #begin(stream: Duplex): Connection | null {
    const one = this.#connections.get(stream)
    // A second request before the first is answered: no program of today sends one.
    if (one === undefined || one.busy) {
      stream.destroy()
      return null
    }
    if (one.timer !== null) clearTimeout(one.timer)
    one.busy = true
    return one
  }

  #request(request: IncomingMessage, response: ServerResponse, read: Request): void {
    const one = this.#begin(request.socket)
    if (one === null) return
    response.once('finish', () => {
      one.busy = false
      if (!one.stream.destroyed) this.#awaitHead(one)
    })
    response.on('error', () => one.stream.destroy())
    this.#run(one, async () => {
      if (read.kind === 'upstream')
        await upstreamCall(this.#context, read, request, response, one.over.signal)
      else if (read.kind === 'forward') await forward(this.#context, read, request, response, one.over.signal)
      else await refuse(request, response, this.#refuseUnreadable(read))
    })
  }

  #connect(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const one = this.#begin(stream)
    if (one === null) return
    const read = readConnect(request.url ?? '')
    if (read.kind !== 'tunnel') return refuseRaw(stream, this.#refuseUnreadable(read))
    this.#run(one, () => tunnel(this.#context, stream, head, read.target, one.over.signal))
  }

  /** Whatever goes wrong in the work for a connection ends it. */
  #run(one: Connection, work: () => Promise<void>): void {
    const done = work()
      .catch(() => void one.stream.destroy())
      .finally(() => this.#work.delete(done))
    this.#work.add(done)
  }

  #refuseUnreadable(read: Request): Refusal {
    const asked = read.kind === 'unreadable' ? read.asked : ''
    const why = read.kind === 'unreadable' ? read.why : 'is not asked for in this way'
    const refusal = denied('unreadable', `What was asked for ${why}.`)
    this.#context.ledger.deny({ kind: 'other', host: asked, port: null, method: null, path: null }, refusal)
    return refusal
  }

  #unreadable(error: NodeJS.ErrnoException, stream: Duplex): void {
    if (error.code === 'ECONNRESET' || !stream.writable) return void stream.destroy()
    const tooLong = error.code === 'HPE_HEADER_OVERFLOW'
    const refusal = tooLong
      ? denied('unreadable', 'The head of the request is too long.', 431)
      : denied('unreadable', 'The request is no HTTP/1.1 that can be read.', 400)
    this.#turnAway(stream, refusal)
  }

  #turnAway(stream: Duplex, refusal: Refusal): void {
    this.#context.ledger.deny({ kind: 'other', host: '', port: null, method: null, path: null }, refusal)
    refuseRaw(stream, refusal)
  }
}
