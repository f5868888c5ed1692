import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { isIP } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { z } from 'zod'
import type { WebhookSettings } from '../../src/domain/outbox/webhook.ts'
import { newsTypes } from '../../src/domain/outbox/news.ts'
import { Secret } from '../../src/domain/secret.ts'

/** A secret for each whole number. */
export const secretOf = (number: number): string => `whsec_${Buffer.alloc(32, number).toString('base64')}`

/** A request as a receiver got it. */
export interface Received {
  readonly id: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

export interface Receiver extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly received: readonly Received[]
  /** What the library makes of a request; throws where the signature does not hold. */
  verified(request: Received | undefined, secret?: string): unknown
}

export type Answer = (response: ServerResponse, number: number, request: IncomingMessage) => void

/** A real receiver of webhooks on this machine; answers 204 unless it is told otherwise. `pair`: it speaks TLS, PEM. */
export async function receiver(
  answer: Answer = (response) => response.writeHead(204).end(),
  host = '127.0.0.1',
  pair: { readonly cert: string; readonly key: string } | null = null,
): Promise<Receiver> {
  const received: Received[] = []
  const take: RequestListener = (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => undefined)
    request.on('end', () => {
      const headers = z.record(z.string(), z.string()).parse({ ...request.headers })
      received.push({ id: headers['webhook-id'] ?? '', body: Buffer.concat(chunks).toString(), headers })
      answer(response, received.length, request)
    })
  }
  const server = pair === null ? createServer(take) : createTlsServer(pair, take)
  server.listen(0, host)
  await once(server, 'listening')
  const { port } = z.object({ port: z.number() }).parse(server.address())
  const name = isIP(host) === 6 ? `[${host}]` : host
  return {
    url: `${pair === null ? 'http' : 'https'}://${name}:${port}/hook`,
    port,
    received,
    verified: (request, secret = secretOf(1)) =>
      new Webhook(secret).verify(request?.body ?? '', request?.headers ?? {}),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A webhook to this machine, which wants to know everything. */
export function toReceiver(url: string, some: Partial<WebhookSettings> = {}): WebhookSettings {
  return {
    name: 'ci',
    url,
    network: 'loopback',
    events: newsTypes,
    secrets: [new Secret('webhook ci', secretOf(1))],
    secretFrom: 'the file /secret',
    ...some,
  }
}
