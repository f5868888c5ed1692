import { messagesCounter } from './anthropic-usage.ts'
import { messagesInspection } from './anthropic-request.ts'
import type { Upstream, UpstreamRoute } from './upstream.ts'

export interface AnthropicOptions {
  /** The route's name in the box. */
  readonly name?: string
  readonly origin?: string
  /** An API key, or a bearer token; null for a server that wants none. */
  readonly credential:
    | { readonly kind: 'key'; readonly value: string }
    | { readonly kind: 'bearer'; readonly value: string }
    | null
  /** Opens tools and sources with which the provider itself reaches the network or runs code. */
  readonly networkTools?: boolean
}

/** The Anthropic Messages API: messages, their count, and the list of models; no batch, file or admin endpoint. */
export function anthropic(options: AnthropicOptions): Upstream {
  const {
    name = 'anthropic',
    origin = 'https://api.anthropic.com',
    credential,
    networkTools = false,
  } = options
  const inspect = (): ReturnType<typeof messagesInspection> => messagesInspection(networkTools)
  return {
    name,
    origin,
    credential:
      credential === null
        ? null
        : credential.kind === 'key'
          ? { header: 'x-api-key', value: credential.value }
          : { header: 'authorization', value: `Bearer ${credential.value}` },
    drops: ['x-api-key', 'authorization'],
    routes: [
      route('POST', /^\/v1\/messages$/, { kind: 'paid', inspect, counter: messagesCounter }),
      route('POST', /^\/v1\/messages\/count_tokens$/, { inspect }),
      route('GET', /^\/v1\/models$/, {}),
      // Asked by the CLI, to see whether there is somebody.
      route('HEAD', /^\/$/, { kind: 'local' }),
    ],
    error: (status, text) =>
      JSON.stringify({ type: 'error', error: { type: errorTypes[status] ?? 'api_error', message: text } }),
  }
}

function route(
  method: string,
  path: RegExp,
  rest: Partial<Pick<UpstreamRoute, 'kind' | 'inspect' | 'counter'>>,
): UpstreamRoute {
  return { method, path, kind: 'free', inspect: null, counter: null, ...rest }
}

const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  403: 'permission_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
}
