import { geminiInspection } from './gemini-request.ts'
import { geminiCounter } from './gemini-usage.ts'
import type { Upstream, UpstreamRoute } from './upstream.ts'

export interface GeminiOptions {
  readonly origin?: string
  /** Null for a server that wants none. */
  readonly key: string | null
}

/**
 * Gemini's generateContent, whole and streamed, counting, and the list of models; no file, cache, batch, tuning or live
 * endpoint, and no tool with which the provider itself reaches the network or runs code: no policy opens those.
 */
export function gemini({
  origin = 'https://generativelanguage.googleapis.com',
  key,
}: GeminiOptions): Upstream {
  return {
    name: 'gemini',
    origin,
    credential: key === null ? null : { header: 'x-goog-api-key', value: key },
    // The last one chooses who pays.
    drops: ['x-goog-api-key', 'authorization', 'x-api-key', 'x-goog-user-project'],
    query: onlyForm,
    routes: [
      route('POST', /^\/v1(?:beta)?\/models\/[\w.-]+:(?:generateContent|streamGenerateContent)$/, {
        kind: 'paid',
        inspect: geminiInspection,
        counter: geminiCounter,
      }),
      route('POST', /^\/v1(?:beta)?\/models\/[\w.-]+:countTokens$/, { inspect: geminiInspection }),
      route('GET', /^\/v1(?:beta)?\/models(?:\/[\w.-]+)?$/, {}),
      route('HEAD', /^\/$/, { kind: 'local' }),
    ],
    error: (status, text) =>
      JSON.stringify({ error: { code: status, message: text, status: statuses[status] ?? 'INTERNAL' } }),
  }
}

function route(
  method: string,
  path: RegExp,
  rest: Partial<Pick<UpstreamRoute, 'kind' | 'inspect' | 'counter'>>,
): UpstreamRoute {
  return { method, path, kind: 'free', inspect: null, counter: null, ...rest }
}

/** Of a query there is left whether a stream comes as events: `key` and `access_token` hand in a credential. */
function onlyForm(query: string): string {
  return new URLSearchParams(query).get('alt') === 'sse' ? '?alt=sse' : ''
}

const statuses: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  403: 'PERMISSION_DENIED',
  413: 'INVALID_ARGUMENT',
  415: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
}
