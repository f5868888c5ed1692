import type { IncomingMessage, ServerResponse } from 'node:http'
import type { GatewayOptions } from '../../../src/gateway/gateway.ts'
import { anthropic, type AnthropicOptions } from '../../../src/gateway/upstreams/anthropic.ts'
import { type Lab, type LabOptions, openLab, openWeb, publicAddress, type Reply, rule } from '../lab.ts'

/** A provider of models on loopback, with a box whose only way to it is the gateway. */

export const key = 'sk-real/0123456789+abc"def'
export const prices: GatewayOptions['prices'] = {
  'm-1': { input: 1000, output: 2000, cacheRead: 100, cacheWrite: 1250 },
}

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

export async function openProvider(
  answer: Answer,
  { key: handed = key, ...some }: LabOptions & Partial<AnthropicOptions> = {},
): Promise<{ readonly web: Awaited<ReturnType<typeof openWeb>>; readonly lab: Lab }> {
  const web = await openWeb((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => answer(request, response, body))
  })
  const upstream = anthropic({ origin: 'http://model.test', key: handed })
  const lab = await openLab({
    upstreams: [upstream],
    prices,
    far: web.port,
    names: { 'model.test': [publicAddress], 'allowed.test': [publicAddress] },
    tunnels: [rule('allowed.test', { ports: [80, 443] })],
    ...some,
  })
  return { web, lab }
}

export interface Usage {
  readonly input_tokens?: number
  readonly output_tokens?: number
  readonly cache_read_input_tokens?: number
  readonly cache_creation_input_tokens?: number
  readonly cache_creation?: object
}

/** One document, as an answer without streaming is. */
export const document = (usage: Usage, text = 'Hello'): string =>
  JSON.stringify({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm-1',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    usage,
  })

export const whole =
  (usage: Usage, text?: string): Answer =>
  (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(document(usage, text))

export const event = (type: string, data: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`

/** The events of a streamed answer, in order. */
export const stream = (input: number, text: readonly string[], output: number): readonly string[] => [
  event('message_start', { message: { id: 'msg_1', usage: { input_tokens: input, output_tokens: 1 } } }),
  event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  'event: ping\ndata: {"type":"ping"}\n\n',
  ...text.map((each) =>
    event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: each } }),
  ),
  event('content_block_stop', { index: 0 }),
  event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: output } }),
  event('message_stop', {}),
]

export const streamed = { 'content-type': 'text/event-stream; charset=utf-8' }

/** What an agent sends. */
export const message = (some: object = {}): string =>
  JSON.stringify({ model: 'm-1', max_tokens: 50, messages: [{ role: 'user', content: 'Hi' }], ...some })

export const call = (
  lab: Lab,
  body: string | Buffer = message(),
  headers: readonly string[] = [],
  path = '/anthropic/v1/messages',
): Promise<Reply> =>
  lab.ask('POST', path, {
    body,
    headers: ['Content-Type: application/json', 'X-Api-Key: placeholder', ...headers],
  })
