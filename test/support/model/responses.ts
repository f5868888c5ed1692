import {
  argumentsOf,
  bodies,
  type Api,
  type Body,
  id,
  pieces,
  type Said,
  type StreamEvent,
  text,
  textOf,
} from './api.ts'
import type { Item, Offered } from './script.ts'

const errors = {
  'rate limit': [429, 'requests', 'rate_limit_exceeded', 'Rate limit reached for requests.'],
  overload: [503, 'server_error', null, 'The engine is currently overloaded, please try again later.'],
  'server error': [500, 'server_error', null, 'The server had an error while processing your request.'],
  auth: [401, 'invalid_request_error', 'invalid_api_key', 'Incorrect API key provided.'],
  context: [
    400,
    'invalid_request_error',
    'context_length_exceeded',
    'Your input exceeds the context window of this model. Please adjust your input and try again.',
  ],
} as const

/** Errors of both of OpenAI's APIs. */
export const openaiError: Api['error'] = (kind) => {
  const [status, type, code, message] = errors[kind]
  return { status, body: { error: { message, type, param: kind === 'context' ? 'input' : null, code } } }
}

/** The OpenAI Responses API. */
export const responses: Api = {
  name: 'responses',
  path: /^\/v1\/responses$/,
  read(body) {
    const { input } = body
    const items = bodies(input)
    return {
      api: 'responses',
      model: text(body['model']),
      stream: body['stream'] === true,
      tools: bodies(body['tools']).map(offered),
      items: typeof input === 'string' ? [{ by: 'user', text: input }] : items.flatMap(itemOf),
      round: items.filter((item, at) => isModels(item) && !isModels(items[at - 1])).length,
    }
  },
  document: (said) => response(said, 'completed'),
  events(said) {
    const events: { name: string; data: object }[] = []
    const put = (type: string, data: object): void =>
      void events.push({ name: type, data: { type, sequence_number: events.length, ...data } })
    put('response.created', { response: response(said, 'in_progress') })
    put('response.in_progress', { response: response(said, 'in_progress') })
    for (const [at, item] of output(said).entries()) streamItem(item, at, put)
    put('response.completed', { response: response(said, 'completed') })
    return events satisfies StreamEvent[]
  },
  error: openaiError,
}

function offered(tool: Body): Offered {
  const name = text(tool['name']) || text(tool['type'])
  if (tool['type'] === 'custom') return { name, schema: {}, kind: 'freeform' }
  if (tool['type'] === 'local_shell') return { name, schema: {}, kind: 'shell' }
  return { name, schema: tool['parameters'] ?? {}, kind: 'function' }
}

/** What came from the model: a run of these is one answer of it. */
function isModels(item: Body | undefined): boolean {
  return item !== undefined && (item['role'] === 'assistant' || /_call$|^reasoning$/.test(text(item['type'])))
}

function itemOf(item: Body): readonly Item[] {
  const type = text(item['type'])
  if (type.endsWith('_call'))
    return [
      { by: 'call', text: text(item['arguments']) || text(item['input']) || JSON.stringify(item['action']) },
    ]
  if (type.endsWith('_output')) return [{ by: 'result', text: textOf(item['output']) }]
  if (item['role'] === 'assistant') return [{ by: 'model', text: textOf(item['content']) }]
  return item['role'] === 'user' ? [{ by: 'user', text: textOf(item['content']) }] : []
}

type OutputItem =
  | { readonly type: 'message'; readonly id: string; readonly text: string }
  | {
      readonly type: 'function_call' | 'custom_tool_call'
      readonly id: string
      readonly callId: string
      readonly name: string
      readonly input: string
    }
  | {
      readonly type: 'local_shell_call'
      readonly id: string
      readonly callId: string
      readonly action: unknown
    }

function output({ texts, calls, n, isMalformed }: Said): readonly OutputItem[] {
  return [
    ...texts.map((each, at) => ({ type: 'message' as const, id: id('msg_', n, at), text: each })),
    ...calls.map((call, at): OutputItem => {
      const ids = { id: id('fc_', n, at), callId: id('call_', n, at) }
      if (call.tool.kind === 'shell') return { type: 'local_shell_call', ...ids, action: call.input }
      const type = call.tool.kind === 'freeform' ? 'custom_tool_call' : 'function_call'
      return { type, ...ids, name: call.tool.name, input: argumentsOf(call, isMalformed) }
    }),
  ]
}

/** An item as it is at its end; at its beginning it is empty. */
function shown(item: OutputItem, status: 'in_progress' | 'completed'): object {
  const isWhole = status === 'completed'
  const head = { type: item.type, id: item.id, status }
  switch (item.type) {
    case 'message':
      return { ...head, role: 'assistant', content: isWhole ? [part(item.text)] : [] }
    case 'function_call':
      return { ...head, call_id: item.callId, name: item.name, arguments: isWhole ? item.input : '' }
    case 'custom_tool_call':
      return { ...head, call_id: item.callId, name: item.name, input: isWhole ? item.input : '' }
    case 'local_shell_call':
      return { ...head, call_id: item.callId, action: item.action }
  }
}

function streamItem(item: OutputItem, at: number, put: (type: string, data: object) => void): void {
  const place = { item_id: item.id, output_index: at }
  put('response.output_item.added', { output_index: at, item: shown(item, 'in_progress') })
  if (item.type === 'message') {
    const inside = { ...place, content_index: 0 }
    put('response.content_part.added', { ...inside, part: part('') })
    for (const delta of pieces(item.text))
      put('response.output_text.delta', { ...inside, delta, logprobs: [] })
    put('response.output_text.done', { ...inside, text: item.text, logprobs: [] })
    put('response.content_part.done', { ...inside, part: part(item.text) })
  } else if (item.type === 'function_call') {
    for (const delta of pieces(item.input)) put('response.function_call_arguments.delta', { ...place, delta })
    put('response.function_call_arguments.done', { ...place, name: item.name, arguments: item.input })
  } else if (item.type === 'custom_tool_call') {
    for (const delta of pieces(item.input)) put('response.custom_tool_call_input.delta', { ...place, delta })
    put('response.custom_tool_call_input.done', { ...place, input: item.input })
  }
  put('response.output_item.done', { output_index: at, item: shown(item, 'completed') })
}

const part = (whole: string): object => ({ type: 'output_text', text: whole, annotations: [], logprobs: [] })

function response(said: Said, status: 'in_progress' | 'completed'): object {
  const { conversation, n } = said
  const isWhole = status === 'completed'
  return {
    id: id('resp_', n),
    object: 'response',
    created_at: 1_700_000_000,
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    metadata: {},
    model: conversation.model,
    output: isWhole ? output(said).map((item) => shown(item, 'completed')) : [],
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: false,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage: isWhole ? usage(said) : null,
  }
}

function usage({ told }: Said): object {
  const input = told.input + told.cached + told.cacheWrite
  const out = told.output + told.reasoning
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: told.cached, cache_write_tokens: told.cacheWrite },
    output_tokens: out,
    output_tokens_details: { reasoning_tokens: told.reasoning },
    total_tokens: input + out,
  }
}
