import type { Agent as Connections } from 'undici'
import { undici } from './undici.ts'

/** What an answer is read by: the part of any fetch's `Response` that is needed here. */
export interface Answer {
  readonly status: number
  readonly body: { getReader(): ChunkReader } | null
  text(): Promise<string>
}

export interface ChunkReader {
  read(): Promise<{ readonly done: boolean; readonly value?: unknown }>
  cancel(): Promise<void>
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal
}

/**
 * Sends a request to a control plane; `path` starts with `/`. The same client talks to the app in this process and to
 * the one behind a socket. Rejects with `Unreachable` when there is nobody, or nobody any more.
 */
export type FetchLike = (path: string, call: Call) => Promise<Answer>

/**
 * The control plane cannot be reached. `sent`: the request was on its way, so it may have taken effect; otherwise it has
 * certainly not.
 */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
  readonly sent: boolean
  constructor(sent: boolean, cause: unknown) {
    super('The control plane cannot be reached.', { cause })
    this.sent = sent
  }
}

/** Talks to the control plane that listens on the unix socket at `path`. */
export function socketFetch(path: string): FetchLike & Disposable {
  let agent: Connections | null = null
  const call: FetchLike = async (route, { signal, ...call }) => {
    const { Agent, fetch } = undici()
    agent ??= new Agent({
      connect: { socketPath: path, timeout: 5000 },
      // A connection for each call: one that is kept may be closed from over there in the moment it is used again.
      pipelining: 0,
      bodyTimeout: 0,
      headersTimeout: 0,
    })
    try {
      const init = { ...call, dispatcher: agent, ...(signal === undefined ? {} : { signal }) }
      return await fetch(`http://cofferdam${route}`, init)
    } catch (error) {
      if (signal?.aborted === true) throw error
      throw new Unreachable(!neverConnected(error), error)
    }
  }
  return Object.assign(call, { [Symbol.dispose]: () => void agent?.destroy() })
}

const connectErrors = new Set<unknown>([
  'ECONNREFUSED',
  'ENOENT',
  'EACCES',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** Whether a fetch failed before anything was sent. */
export function neverConnected(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && connectErrors.has(cause.code)
}

/** What an answer holds; null where it is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
