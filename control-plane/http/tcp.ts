import { createServer, type RequestListener, type Server } from 'node:http'
import { isIPv6, type Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context, Hono } from 'hono'
import ipaddr from 'ipaddr.js'
import { Failure, messageOf } from '../../src/domain/failure.ts'
import type { HttpSettings } from '../../src/domain/listen.ts'
import { unreadable } from './problem.ts'
import { headerBytes } from './socket.ts'
import { createTlsServer, type Renewals } from './tls.ts'

/** So many connections at once; each reader of a stream holds one. */
const mostConnections = 4096

/** Of those, so many of one address, so that it leaves some to the others. A proxy is one address for all. */
const mostOfOne = 1024

/** For the head of a request, and how often is looked for one that takes longer, ms: who says nothing holds a connection no longer. */
const patience = { headersTimeout: 10_000, connectionsCheckingInterval: 2_000 }

/** The API at an address. */
export interface Listening extends AsyncDisposable {
  /** Where it is, such as `http://127.0.0.1:7878`. */
  readonly origin: string
}

/** Serves `app` at this address. Rejects with `Failure('bad_config')` where that cannot be. */
export async function serveTcp(
  app: Hono,
  settings: HttpSettings,
  renewals: Renewals = quiet,
  waits: typeof patience = patience,
): Promise<Listening> {
  const answer = getRequestListener(app.fetch, { errorHandler: unreadable })
  const server = serverOf(settings, renewals, waits, (request, response) => void answer(request, response))
  server.maxConnections = mostConnections
  if (!settings.proxyTls) shareOut(server)
  await listen(server, settings)
  const at = server.address()
  const port = typeof at === 'object' && at !== null ? at.port : settings.port
  const host = isIPv6(settings.address) ? `[${settings.address}]` : settings.address
  return {
    origin: `${settings.tls === null ? 'http' : 'https'}://${host}:${port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Where a request comes from, as {@link networkOf} tells it. A proxy adds whom it heard at the end; what stands before that, anybody can write. */
export function addressOf(context: Context, proxied: boolean): string {
  const told = proxied ? context.req.header('x-forwarded-for')?.split(',').at(-1)?.trim() : undefined
  return networkOf(told || (getConnInfo(context).remote.address ?? 'unknown'))
}

/**
 * What counts as one sender: an address of IPv4, and of IPv6 the network of 64 bits (`2001:db8:0:1::/64`), all of which one host
 * has (RFC 4291, section 2.5.4). What is no address is answered as it is.
 */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address
  const read = ipaddr.process(address)
  if (read instanceof ipaddr.IPv4) return read.toString()
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${read.toNormalizedString()}/64`).toString()}/64`
}

function serverOf(
  { tls }: HttpSettings,
  renewals: Renewals,
  waits: typeof patience,
  listener: RequestListener,
): Server {
  const options = { maxHeaderSize: headerBytes, ...waits }
  return tls === null ? createServer(options, listener) : createTlsServer(tls, options, renewals, listener)
}

/** Ends the connections of an address beyond those that one may have. */
function shareOut(server: Server): void {
  const held = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const from = networkOf(socket.remoteAddress ?? '')
    const count = (held.get(from) ?? 0) + 1
    if (count > mostOfOne) {
      socket.destroy()
      return
    }
    held.set(from, count)
    socket.once('close', () => {
      const left = (held.get(from) ?? 1) - 1
      if (left === 0) held.delete(from)
      else held.set(from, left)
    })
  })
}

const quiet: Renewals = { renewed: () => undefined, failed: () => undefined }

function listen(server: Server, { address, port }: HttpSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const why = `Nothing can be offered at ${address} port ${port} (${messageOf(error)})`
      reject(new Failure('bad_config', `${why}: name another address under http.listen.`))
    })
    server.listen({ host: address, port }, resolve)
  })
}
