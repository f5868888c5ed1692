import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve, type ServerType } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { type Fault, Faults, type Seen } from '../faults.ts'
import { Refusal, unauthorized, unknownRoute } from '../refusal.ts'
import { aboutRoutes } from './about.ts'
import { interactionRoutes } from './interactions.ts'
import { messageRoutes } from './messages.ts'
import { reactionRoutes } from './reactions.ts'
import { threadRoutes } from './threads.ts'
import type { Env, Wire } from './wire.ts'

/** The REST interface on a port of the loopback, with the faults that a test has scripted. */
export class Rest {
  readonly faults = new Faults()
  /** Every request, in order. */
  readonly seen: Seen[] = []
  readonly #server: ServerType
  readonly #sockets = new Set<Socket>()
  #port = 0

  constructor(wire: Wire, token: () => string) {
    const app = new Hono<Env>().basePath('/api/v10')
    app.use(async (c, next) => {
      const seen: Seen = { method: c.req.method, path: pathOf(c), status: null }
      this.seen.push(seen)
      if (needsToken(seen.path) && c.req.header('authorization') !== `Bot ${token()}`) {
        seen.status = 401
        const { status, body } = unauthorized()
        return c.json(body, status as 401)
      }
      const fault = this.faults.take(seen)
      const instead = await this.#before(c, seen, fault)
      if (instead !== null) return instead
      await next()
      const after = await this.#after(c, seen, fault)
      if (after === null) seen.status = c.res.status
      else c.res = after
      return undefined
    })
    aboutRoutes(app, wire)
    messageRoutes(app, wire)
    reactionRoutes(app, wire)
    threadRoutes(app, wire)
    interactionRoutes(app, wire)
    app.notFound((c) => refused(c, unknownRoute()))
    app.onError((error, c) => {
      if (error instanceof Refusal) return refused(c, error)
      throw error
    })
    this.#server = serve(
      { fetch: app.fetch, port: 0, hostname: '127.0.0.1' },
      ({ port }) => (this.#port = port),
    )
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  /** What discord.js takes as `rest.api`. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/api`
  }

  async listening(): Promise<void> {
    while (this.#server.address() === null) await sleep(1)
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #before(c: Context<Env>, seen: Seen, fault: Fault | null): Promise<Response | null> {
    if (fault === null) return null
    if (fault.kind === 'rate_limit') {
      seen.status = 429
      return limited(c, fault.seconds, fault.global === true)
    }
    if (fault.kind === 'status' && fault.after !== true) {
      seen.status = fault.status
      return failed(c, fault.status)
    }
    if (fault.kind === 'drop' && fault.after !== true) return cut(c)
    if (fault.kind === 'hang' && fault.before === true) return new Promise<Response>(() => undefined)
    return null
  }

  /** The request has taken effect. */
  async #after(c: Context<Env>, seen: Seen, fault: Fault | null): Promise<Response | null> {
    switch (fault?.kind) {
      case 'hang':
        return new Promise<Response>(() => undefined)
      case 'late':
        await sleep(fault.ms)
        return null
      case 'drop':
        return cut(c)
      case 'status':
        seen.status = fault.status
        return failed(c, fault.status)
      default:
        return null
    }
  }
}

function pathOf(c: Context<Env>): string {
  return decodeURIComponent(c.req.path).replace(/^\/api\/v\d+/, '')
}

/** Who answers an interaction shows its token in the path. */
function needsToken(path: string): boolean {
  return !path.startsWith('/webhooks/') && !/^\/interactions\/\d+\/[^/]+\/callback$/.test(path)
}

function refused(c: Context<Env>, { status, body }: Refusal): Response {
  return c.json(body, status as 400)
}

function limited(c: Context<Env>, seconds: number, global: boolean): Response {
  return c.json({ message: 'You are being rate limited.', retry_after: seconds, global }, 429, {
    'retry-after': String(Math.ceil(seconds)),
    'x-ratelimit-scope': global ? 'global' : 'user',
    ...(global
      ? { 'x-ratelimit-global': 'true' }
      : {
          'x-ratelimit-bucket': 'a-bucket',
          'x-ratelimit-limit': '5',
          'x-ratelimit-remaining': '0',
          'x-ratelimit-reset-after': String(seconds),
        }),
  })
}

/** Errors of the servers in front of Discord are no JSON. */
function failed(c: Context<Env>, status: number): Response {
  return c.html('<html><body>upstream error</body></html>', status as 502)
}

function cut(c: Context<Env>): Promise<Response> {
  c.env.incoming.socket.destroy()
  return new Promise<Response>(() => undefined)
}
