import { createServer, type RequestListener, type Server } from 'node:http'
import { isIPv6 } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context, Hono } from 'hono'
import { Failure, messageOf } from '../../src/domain/failure.ts'
import type { HttpSettings } from '../../src/domain/listen.ts'
import { unreadable } from './problem.ts'
import { headerBytes } from './socket.ts'
import { createTlsServer, type Renewals } from './tls.ts'

/** So many connections at once; each reader of a stream holds one. */
const mostConnections = 4096

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
): Promise<Listening> {
  const answer = getRequestListener(app.fetch, { errorHandler: unreadable })
  const server = serverOf(settings, renewals, (request, response) => void answer(request, response))
  server.maxConnections = mostConnections
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

/** Where a request comes from. A proxy adds whom it heard at the end; what stands before that, anybody can write. */
export function addressOf(context: Context, proxied: boolean): string {
  const told = proxied ? context.req.header('x-forwarded-for')?.split(',').at(-1)?.trim() : undefined
  return told || (getConnInfo(context).remote.address ?? 'unknown')
}

function serverOf({ tls }: HttpSettings, renewals: Renewals, listener: RequestListener): Server {
  const options = { maxHeaderSize: headerBytes }
  return tls === null ? createServer(options, listener) : createTlsServer(tls, options, renewals, listener)
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
