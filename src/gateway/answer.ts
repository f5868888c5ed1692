import type { IncomingMessage, ServerResponse } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Refusal } from './refusal.ts'

/** What is read of a refused request's body, so that its sender gets to the answer instead of an error while it writes. */
const lingerBytes = 1024 * 1024
const lingerMs = 1000

/** Answers a refusal in plain text, or as `body` has it, and ends the connection where more of the request may come. */
export async function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, text }: Refusal,
  body: { readonly type: string; readonly text: string } = {
    type: 'text/plain; charset=utf-8',
    text: `${text}\n`,
  },
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (!request.complete) await linger(request)
  if (response.destroyed || response.headersSent) return void response.destroy()
  response.writeHead(status, {
    'content-type': body.type,
    'content-length': Buffer.byteLength(body.text),
    ...headers,
    ...(request.complete ? {} : { connection: 'close' }),
  })
  response.end(request.method === 'HEAD' ? undefined : body.text)
}

/** The same for a connection that speaks no HTTP any more, or none that can be read. */
export function refuseRaw(connection: Duplex, { status, text }: Pick<Refusal, 'status' | 'text'>): void {
  const body = `${text}\n`
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`,
    'content-type: text/plain; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  if (!connection.writable) return void connection.destroy()
  connection.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => connection.destroy())
}

function linger(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let read = 0
    const timer = setTimeout(resolve, lingerMs)
    const done = (): void => {
      clearTimeout(timer)
      resolve()
    }
    request.on('data', (chunk: Buffer) => {
      read += chunk.length
      if (read > lingerBytes) {
        request.pause()
        done()
      }
    })
    request.once('end', done)
    request.once('close', done)
    request.once('error', done)
    request.resume()
  })
}
