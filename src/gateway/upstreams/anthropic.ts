import { messagesCounter } from './anthropic-usage.ts'
import { messagesInspection } from './anthropic-request.ts'
import type { Upstream, UpstreamRoute } from './upstream.ts'

export interface AnthropicOptions {
  readonly origin?: string
  /** Null for a server that wants none. */
  readonly key: string | null
}

/**
 * The Anthropic Messages API: messages, their count, and the list of models; no batch, file or admin endpoint, and no tool
 * with which the provider itself reaches the network or runs code: no policy opens those.
 */
export function anthropic({ origin = 'https://api.anthropic.com', key }: AnthropicOptions): Upstream {
  return {
    name: 'anthropic',
    origin,
    credential: key === null ? null : { header: 'x-api-key', value: key },
    drops: ['x-api-key', 'authorization'],
    routes: [
      route('POST', /^\/v1\/messages$/, {
        kind: 'paid',
        inspect: messagesInspection,
        counter: messagesCounter,
      }),
      route('POST', /^\/v1\/messages\/count_tokens$/, { inspect: messagesInspection }),
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
