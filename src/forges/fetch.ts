import { lookup } from 'node:dns/promises'
import { type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { Failure, messageOf, systemCodeOf } from '../domain/failure.ts'
import { believeIt, isAddress, type OutsideNetwork, pinned, vet } from '../domain/outside.ts'

/** What the client libraries hand over, in the shapes that they use. */
export interface FetchInit {
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string | number | undefined>> | undefined
  readonly body?: unknown
  readonly signal?: AbortSignal | null | undefined
}

/** As the global `fetch`, for one forge. */
export type ForgeFetch = (input: string | URL, init?: FetchInit) => Promise<Response>

export interface Where {
  /** Nothing else is asked. */
  readonly address: string
  readonly network: OutsideNetwork
}

export interface FetchDeps {
  /** All addresses of a name. Rejects where there are none. */
  readonly resolve?: (name: string) => Promise<readonly string[]>
  /** Wall time of one call, ms. */
  readonly withinMs?: number
}

/** Of an answer, bytes: a page of pull requests is some hundred kB. */
const mostBytes = 4 * 1024 * 1024
const headerBytes = 32 * 1024
const usualMs = 30_000

/**
 * A `fetch` that asks the configured address and no other: addresses are looked at before they are connected to, no
 * redirect is followed, and time and size are bounded. Rejects with `Failure`: `busy` where nobody answers, `repository`
 * where that is no place to ask.
 */
export function forgeFetch({ address, network }: Where, deps: FetchDeps = {}): ForgeFetch {
  const { resolve = resolveByMachine, withinMs = usualMs } = deps
  const { origin } = new URL(address)
  return async (input, init = {}) => {
    const url = new URL(input)
    if (url.origin !== origin)
      throw new Failure('repository', `${url.origin} is not asked: the forge is at ${origin}.`)
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    const limits = [AbortSignal.timeout(withinMs), ...(init.signal == null ? [] : [init.signal])]
    const signal = AbortSignal.any(limits)
    try {
      const vetted = vet(host, isAddress(host) ? [host] : await resolve(host), network, 'forge')
      if ('refused' in vetted) throw new Failure('repository', vetted.refused)
      return await call(url, vetted.addresses, init, signal)
    } catch (error) {
      if (error instanceof Failure) throw error
      const code = systemCodeOf(error)
      if (/CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)/.test(code))
        throw new Failure(
          'repository',
          `${host} has a certificate that is not trusted here (${code}). ${believeIt}`,
          { cause: error },
        )
      const reason = signal.aborted
        ? init.signal?.aborted === true
          ? 'this process ends'
          : `it took longer than ${withinMs / 1000} seconds`
        : code || messageOf(error)
      throw new Failure('busy', `${host} could not be reached: ${reason}.`, { cause: error })
    }
  }
}

function call(
  url: URL,
  addresses: readonly string[],
  { method = 'GET', headers = {}, body }: FetchInit,
  signal: AbortSignal,
): Promise<Response> {
  if (body !== undefined && body !== null && typeof body !== 'string')
    throw new Error('a forge is sent text alone')
  const options: RequestOptions = {
    method,
    headers: {
      ...Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)),
      ...(body ? { 'content-length': Buffer.byteLength(body) } : {}),
      // An answer that is packed may be larger than it looks.
      'accept-encoding': 'identity',
      connection: 'close',
    },
    agent: false,
    lookup: pinned(addresses),
    maxHeaderSize: headerBytes,
    signal,
  }
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? tlsRequest(url, options) : plainRequest(url, options)
    request.once('error', reject)
    request.once('response', (answer) => {
      collected(answer)
        .then((bytes) => responseOf(answer, bytes))
        .then(resolve, reject)
    })
    // To change to another protocol is no answer, and no error of the request either.
    request.once('upgrade', (answer, socket) => {
      socket.destroy()
      reject(oddStatus(answer.statusCode))
    })
    request.end(body ?? undefined)
  })
}

async function collected(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > mostBytes)
      throw new Failure(
        'repository',
        `The forge answers with more than ${mostBytes} bytes: that is no answer.`,
      )
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** A number that HTTP does not know, or that means no answer. */
function oddStatus(status: number | undefined): Failure {
  return new Failure('busy', `The forge answers with status ${status}: that is no answer.`)
}

function responseOf({ statusCode = 502, headers }: IncomingMessage, bytes: Buffer): Response {
  if (statusCode < 200 || statusCode > 599) throw oddStatus(statusCode)
  const isEmpty = [204, 205, 304].includes(statusCode)
  const named = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    typeof value === 'string' ? [[name, value]] : [],
  )
  return new Response(isEmpty ? null : new Uint8Array(bytes), { status: statusCode, headers: named })
}

async function resolveByMachine(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true, order: 'ipv4first' })
  return found.map(({ address }) => address)
}
