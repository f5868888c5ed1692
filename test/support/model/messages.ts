import { type Api, bodies, type Body, id, pieces, type Said, type StreamEvent, text, textOf } from './api.ts'
import type { Item } from './script.ts'

const errors = {
  'rate limit': [429, 'rate_limit_error', 'This request would exceed the rate limit of your organization.'],
  overload: [529, 'overloaded_error', 'Overloaded'],
  'server error': [500, 'api_error', 'Internal server error'],
  auth: [401, 'authentication_error', 'invalid x-api-key'],
  context: [400, 'invalid_request_error', 'prompt is too long: 214096 tokens > 200000 maximum'],
} as const

/** The Anthropic Messages API. */
export const messages: Api = {
  name: 'messages',
  path: /^\/v1\/messages$/,
  read: (body) => ({
    api: 'messages',
    model: text(body['model']),
    stream: body['stream'] === true,
    tools: bodies(body['tools']).map((tool) => ({
      name: text(tool['name']),
      schema: tool['input_schema'] ?? {},
      kind: 'function',
    })),
    items: bodies(body['messages']).flatMap(itemsOf),
    round: bodies(body['messages']).filter(({ role }) => role === 'assistant').length,
  }),
  document: (said) => ({
    ...head(said),
    content: blocks(said),
    stop_reason: stopReason(said),
    usage: usage(said),
  }),
  events(said) {
    const { output_tokens: output, ...input } = usage(said)
    return [
      event('message_start', {
        message: { ...head(said), content: [], stop_reason: null, usage: { ...input, output_tokens: 1 } },
      }),
      event('ping', {}),
      ...blocks(said).flatMap((block, index) => [
        event('content_block_start', { index, content_block: started(block) }),
        ...deltas(block, said).map((delta) => event('content_block_delta', { index, delta })),
        event('content_block_stop', { index }),
      ]),
      event('message_delta', {
        delta: { stop_reason: stopReason(said), stop_sequence: null },
        usage: { ...input, output_tokens: output },
      }),
      event('message_stop', {}),
    ]
  },
  error(kind) {
    const [status, type, message] = errors[kind]
    return { status, body: { type: 'error', error: { type, message }, request_id: 'req_scripted' } }
  },
}

function itemsOf({ role, content }: Body): readonly Item[] {
  if (typeof content === 'string') return [{ by: role === 'assistant' ? 'model' : 'user', text: content }]
  return bodies(content).map((part): Item => {
    if (part['type'] === 'tool_use') return { by: 'call', text: JSON.stringify(part['input']) }
    if (part['type'] === 'tool_result') return { by: 'result', text: textOf(part['content']) }
    return { by: role === 'assistant' ? 'model' : 'user', text: text(part['text']) }
  })
}

type Block =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown }

function blocks({ texts, calls, n, isMalformed }: Said): readonly Block[] {
  return [
    ...texts.map((each) => ({ type: 'text' as const, text: each })),
    ...calls.map(({ tool, input }, at) => ({
      type: 'tool_use' as const,
      id: id('toolu_', n, at),
      name: tool.name,
      input: isMalformed ? {} : input,
    })),
  ]
}

function started(block: Block): object {
  return block.type === 'text' ? { type: 'text', text: '' } : { ...block, input: {} }
}

function deltas(block: Block, { isMalformed }: Said): readonly object[] {
  if (block.type === 'text') return pieces(block.text).map((each) => ({ type: 'text_delta', text: each }))
  const json = isMalformed ? '{"command": "ls' : JSON.stringify(block.input)
  return ['', ...pieces(json)].map((each) => ({ type: 'input_json_delta', partial_json: each }))
}

function head({ conversation, n }: Said): object {
  return {
    id: id('msg_', n),
    type: 'message',
    role: 'assistant',
    model: conversation.model,
    stop_sequence: null,
  }
}

const stopReason = ({ calls }: Said): string => (calls.length > 0 ? 'tool_use' : 'end_turn')

function usage({ told }: Said) {
  return {
    input_tokens: told.input,
    cache_creation_input_tokens: told.cacheWrite,
    cache_read_input_tokens: told.cached,
    cache_creation: { ephemeral_5m_input_tokens: told.cacheWrite, ephemeral_1h_input_tokens: 0 },
    // Thinking is part of the output here.
    output_tokens: told.output + told.reasoning,
    service_tier: 'standard',
  }
}

const event = (type: string, data: object): StreamEvent => ({ name: type, data: { type, ...data } })
