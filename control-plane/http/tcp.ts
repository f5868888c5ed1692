import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { isIPv6 } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context, Hono } from 'hono'
import { Failure, messageOf } from '../../src/domain/failure.ts'
import type { HttpSettings } from '../../src/domain/listen.ts'
import { unreadable } from './problem.ts'
import { headerBytes } from './socket.ts'

/** So many connections at once; each reader of a stream holds one. */
const mostConnections = 4096

/** The API at an address. */
export interface Listening extends AsyncDisposable {
  /** Where it is, such as `http://127.0.0.1:7878`. */
  readonly origin: string
}

/** Serves `app` at this address. Rejects with `Failure('bad_config')` where that cannot be. */
export async function serveTcp(app: Hono, settings: HttpSettings): Promise<Listening> {
  const answer = getRequestListener(app.fetch, { errorHandler: unreadable })
  const server = serverOf(settings, (request, response) => void answer(request, response))
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

function serverOf({ tls }: HttpSettings, listener: RequestListener): Server {
  const options = { maxHeaderSize: headerBytes }
  if (tls === null) return createServer(options, listener)
  const files = { cert: read(tls.cert), key: read(tls.key) }
  try {
    return createTlsServer({ ...options, ...files }, listener)
  } catch (error) {
    throw new Failure(
      'bad_config',
      `The certificate ${tls.cert} and the key ${tls.key} cannot be used (${messageOf(error)}): name a pair in PEM under http.tls.`,
    )
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new Failure('bad_config', `The file ${file} of http.tls cannot be read: ${messageOf(error)}.`)
  }
}

function listen(server: Server, { address, port }: HttpSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const why = `Nothing can be offered at ${address} port ${port} (${messageOf(error)})`
      reject(new Failure('bad_config', `${why}: name another address under http.listen.`))
    })
    server.listen({ host: address, port }, resolve)
  })
}
