import { chatInspection, responsesInspection } from './openai-request.ts'
import { chatCounter, responsesCounter } from './openai-usage.ts'
import type { Upstream } from './upstream.ts'

export interface OpenaiOptions {
  readonly name?: 'openai' | 'openai-compatible'
  /** With or without `/v1` at its end: clients name that themselves. */
  readonly origin?: string
  /** Null for a server that wants none. */
  readonly key: string | null
}

/**
 * OpenAI's Responses and Chat Completions, and servers that speak them: answers and the list of models; no file, batch,
 * vector store, assistant or admin endpoint, and no tool with which the provider itself reaches the network or runs code: no
 * policy opens those. Answers are read over HTTP alone, so a WebSocket is refused by the gateway.
 */
export function openai({ name = 'openai', origin = 'https://api.openai.com', key }: OpenaiOptions): Upstream {
  const rest = { kind: 'free', inspect: null, counter: null } as const
  return {
    name,
    origin: origin.replace(/\/v1\/?$/, ''),
    credential: key === null ? null : { header: 'authorization', value: `Bearer ${key}` },
    // The last two choose who pays.
    drops: ['authorization', 'x-api-key', 'api-key', 'openai-organization', 'openai-project'],
    query: () => '',
    routes: [
      {
        method: 'POST',
        path: /^\/v1\/responses$/,
        kind: 'paid',
        inspect: responsesInspection,
        counter: responsesCounter,
      },
      {
        method: 'POST',
        path: /^\/v1\/chat\/completions$/,
        kind: 'paid',
        inspect: chatInspection,
        counter: chatCounter,
      },
      { ...rest, method: 'GET', path: /^\/v1\/models$/ },
      { ...rest, method: 'HEAD', path: /^\/(?:v1\/?)?$/, kind: 'local' },
    ],
    error(status, message, isPassing) {
      const [type, code] =
        status === 429 ? [isPassing ? 'requests' : spent, isPassing ? busy : spent] : kindOf(status)
      return JSON.stringify({ error: { message, type, param: null, code } })
    },
  }
}

// The provider's own words, by which agents tell what passes from what does not.
const spent = 'insufficient_quota'
const busy = 'rate_limit_exceeded'

function kindOf(status: number): readonly [type: string, code: null] {
  return [status < 500 ? 'invalid_request_error' : 'server_error', null]
}
