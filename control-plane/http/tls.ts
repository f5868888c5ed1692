import { readFileSync, statSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer, type Server, type ServerOptions } from 'node:https'
import { createSecureContext } from 'node:tls'
import { Failure, messageOf } from '../../src/domain/failure.ts'

/** Files, in PEM. */
interface Pair {
  readonly cert: string
  readonly key: string
}

/** Told of what becomes of a pair that was changed. */
export interface Renewals {
  readonly renewed: () => void
  readonly failed: (why: string) => void
  /** How often the files are looked at, ms. */
  readonly everyMs?: number
}

/**
 * A server with this pair, and with the one that takes its place there: a certificate is good for weeks, and a server runs
 * for longer. Two files never change at once, so what does not fit together is left, and looked at again when the other one
 * has changed; connections that are open stay as they are. Throws `Failure('bad_config')`.
 */
export function createTlsServer(
  pair: Pair,
  options: ServerOptions,
  { renewed, failed, everyMs = 10_000 }: Renewals,
  listener: RequestListener,
): Server {
  let seen = stateOf(pair)
  const server = createServer({ ...options, ...read(pair) }, listener)
  const timer = setInterval(() => {
    const now = stateOf(pair)
    if (now === seen) return
    seen = now
    try {
      server.setSecureContext(read(pair))
    } catch (error) {
      return failed(messageOf(error))
    }
    renewed()
  }, everyMs).unref()
  return server.once('close', () => clearInterval(timer))
}

/** Another one whenever a file is another one under its name, also behind a link, or was written. */
function stateOf({ cert, key }: Pair): string {
  const states = [cert, key].map((file) => {
    try {
      const { dev, ino, size, mtimeMs } = statSync(file)
      return [dev, ino, size, mtimeMs]
    } catch (error) {
      return messageOf(error)
    }
  })
  return JSON.stringify(states)
}

/** The contents of a pair that can be used. */
function read({ cert, key }: Pair): { readonly cert: Buffer; readonly key: Buffer } {
  const files = { cert: contentOf(cert), key: contentOf(key) }
  try {
    createSecureContext(files)
  } catch (error) {
    throw new Failure(
      'bad_config',
      `The certificate ${cert} and the key ${key} cannot be used (${messageOf(error)}): name a pair in PEM under http.tls.`,
    )
  }
  return files
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new Failure('bad_config', `The file ${file} of http.tls cannot be read: ${messageOf(error)}.`)
  }
}
