import { type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { pinned } from '../domain/outside.ts'

/** A POST to one of these addresses, whatever the name of its host means by now. */
export interface Post {
  readonly url: URL
  readonly addresses: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What is read of an answer: its status says all. */
export interface Answered {
  readonly status: number
  readonly retryAfter: string | null
}

/** Headers of an answer, bytes. */
const headerBytes = 16 * 1024

/**
 * Resolves with the head of the answer; its body is never read. No redirect is followed, and no connection is used twice.
 * Rejects when there is no answer, and when `signal` aborts.
 */
export function post({ url, addresses, headers, body }: Post, signal: AbortSignal): Promise<Answered> {
  const options: RequestOptions = {
    method: 'POST',
    headers: { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' },
    agent: false,
    lookup: pinned(addresses),
    maxHeaderSize: headerBytes,
    signal,
  }
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? tlsRequest(url, options) : plainRequest(url, options)
    request.once('error', reject)
    // To change to another protocol is an answer like any other, and not a 2xx.
    request.once('upgrade', (answer, socket) => {
      socket.destroy()
      resolve(headOf(answer))
    })
    request.once('response', (answer) => {
      resolve(headOf(answer))
      // Errors of a body that nobody reads are nobody's.
      answer.on('error', () => undefined)
      answer.destroy()
    })
    request.end(body)
  })
}

function headOf({ statusCode = 0, headers }: IncomingMessage): Answered {
  return { status: statusCode, retryAfter: headers['retry-after'] ?? null }
}
