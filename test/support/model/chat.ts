import {
  argumentsOf,
  bodies,
  type Api,
  type Body,
  id,
  isBody,
  pieces,
  type Said,
  type StreamEvent,
  text,
  textOf,
} from './api.ts'
import { openaiError } from './responses.ts'
import type { Item } from './script.ts'

/** OpenAI's Chat Completions, which local model servers speak as well. */
export const chat: Api = {
  name: 'chat',
  path: /^\/v1\/chat\/completions$/,
  read: (body) => ({
    api: 'chat',
    model: text(body['model']),
    stream: body['stream'] === true,
    tools: bodies(body['tools'])
      .map((tool) => tool['function'])
      .filter(isBody)
      .map((tool) => ({
        name: text(tool['name']),
        schema: tool['parameters'] ?? {},
        kind: 'function',
      })),
    items: bodies(body['messages']).flatMap(itemsOf),
    round: bodies(body['messages']).filter(({ role }) => role === 'assistant').length,
    tellsUsage: isBody(body['stream_options']) && body['stream_options']['include_usage'] === true,
  }),
  document: (said) => ({
    ...head(said, 'chat.completion'),
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: said.texts.length === 0 ? null : said.texts.join('\n'),
          refusal: null,
          ...(said.calls.length === 0 ? {} : { tool_calls: toolCalls(said) }),
        },
        logprobs: null,
        finish_reason: reason(said),
      },
    ],
    usage: usage(said),
  }),
  events(said) {
    const tells = said.conversation.tellsUsage === true
    const chunk = (delta: object, finish: string | null = null): StreamEvent => ({
      data: {
        ...head(said, 'chat.completion.chunk'),
        choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
        ...(tells ? { usage: null } : {}),
      },
    })
    const calls = toolCalls(said)
    return [
      chunk({ role: 'assistant', content: calls.length > 0 && said.texts.length === 0 ? null : '' }),
      ...said.texts.flatMap(pieces).map((content) => chunk({ content })),
      ...calls.flatMap((call, index) => [
        chunk({ tool_calls: [{ index, ...call, function: { ...call.function, arguments: '' } }] }),
        ...pieces(call.function.arguments).map((each) =>
          chunk({ tool_calls: [{ index, function: { arguments: each } }] }),
        ),
      ]),
      chunk({}, reason(said)),
      ...(tells
        ? [{ data: { ...head(said, 'chat.completion.chunk'), choices: [], usage: usage(said) } }]
        : []),
      { data: '[DONE]' },
    ]
  },
  error: openaiError,
}

function itemsOf(message: Body): readonly Item[] {
  const calls = bodies(message['tool_calls']).map(({ function: called }): Item => ({
    by: 'call',
    text: isBody(called) ? text(called['arguments']) : '',
  }))
  const content = textOf(message['content'])
  switch (message['role']) {
    case 'assistant':
      return [...(content === '' ? [] : [{ by: 'model' as const, text: content }]), ...calls]
    case 'tool':
      return [{ by: 'result', text: content }]
    case 'user':
      return [{ by: 'user', text: content }]
    default:
      return []
  }
}

function toolCalls({ calls, n, isMalformed }: Said) {
  return calls.map((call, at) => ({
    id: id('call_', n, at),
    type: 'function',
    function: { name: call.tool.name, arguments: argumentsOf(call, isMalformed) },
  }))
}

const reason = ({ calls }: Said): string => (calls.length > 0 ? 'tool_calls' : 'stop')

function head({ conversation, n }: Said, object: string): object {
  return {
    id: id('chatcmpl-', n),
    object,
    created: 1_700_000_000,
    model: conversation.model,
    system_fingerprint: null,
  }
}

function usage({ told }: Said): object {
  const prompt = told.input + told.cached + told.cacheWrite
  const completion = told.output + told.reasoning
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: told.cached,
      cache_write_tokens: told.cacheWrite,
      audio_tokens: 0,
    },
    completion_tokens_details: { reasoning_tokens: told.reasoning, audio_tokens: 0 },
  }
}
