import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { messagesCounter } from '../../../src/gateway/upstreams/anthropic-usage.ts'
import { geminiCounter } from '../../../src/gateway/upstreams/gemini-usage.ts'
import { chatCounter, responsesCounter } from '../../../src/gateway/upstreams/openai-usage.ts'
import type { Counter } from '../../../src/gateway/upstreams/upstream.ts'

// The shapes are those of the providers' references.

const json = 'application/json'
const events = 'text/event-stream'
type Count = readonly [input: number, output: number, cacheRead: number, cacheWrite: number]

interface Answer {
  readonly make: () => Counter
  readonly type: string
  readonly text: string
  readonly count: Count
}

const stream = (...data: readonly (object | string)[]): string =>
  data.map((each) => `data: ${typeof each === 'string' ? each : JSON.stringify(each)}\n\n`).join('')
const named = (...data: readonly { readonly type: string; readonly [key: string]: unknown }[]): string =>
  data.map((each) => `event: ${each.type}\r\ndata: ${JSON.stringify(each)}\r\n\r\n`).join('')

const responsesUsage = {
  input_tokens: 328,
  input_tokens_details: { cached_tokens: 200 },
  output_tokens: 52,
  output_tokens_details: { reasoning_tokens: 40 },
  total_tokens: 380,
}
const response = (usage: object | null, status = 'completed'): object => ({
  id: 'resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b',
  object: 'response',
  created_at: 1_741_476_542,
  status,
  error: null,
  model: 'gpt-4.1-2025-04-14',
  output: [
    {
      type: 'message',
      id: 'msg_67ccd2bf17f0819081ff3bb2cf6508e6',
      status: 'completed',
      role: 'assistant',
      content: [
        { type: 'output_text', text: 'In a gröve {"usage":{"output_tokens":9}} 🙂', annotations: [] },
      ],
    },
  ],
  usage,
  metadata: {},
})
const chatUsage = {
  prompt_tokens: 1117,
  completion_tokens: 46,
  total_tokens: 1163,
  prompt_tokens_details: { cached_tokens: 1024, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 30,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
}
const chunk = (some: object): object => ({
  id: 'chatcmpl-123',
  object: 'chat.completion.chunk',
  created: 1_694_268_190,
  model: 'gpt-4o-mini',
  system_fingerprint: 'fp_44709d6fcb',
  ...some,
})
const geminiChunk = (text: string, usage: object, finish?: string): object => ({
  candidates: [
    {
      content: { parts: [{ text }], role: 'model' },
      ...(finish === undefined ? {} : { finishReason: finish }),
      index: 0,
    },
  ],
  usageMetadata: {
    promptTokenCount: 2000,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: 2000 }],
    ...usage,
  },
  modelVersion: 'gemini-2.5-flash',
  responseId: 'mAitaLmkHPPlz7IPvtfUqQ4',
})
const geminiEnd = {
  candidatesTokenCount: 31,
  totalTokenCount: 2129,
  cachedContentTokenCount: 1500,
  thoughtsTokenCount: 98,
}

const answers: Readonly<Record<string, Answer>> = {
  'Responses, whole': {
    make: responsesCounter,
    type: json,
    text: JSON.stringify(response(responsesUsage)),
    count: [128, 52, 200, 0],
  },
  'Responses, whole, with what was written to the cache': {
    make: responsesCounter,
    type: json,
    text: JSON.stringify(
      response({ ...responsesUsage, input_tokens_details: { cached_tokens: 200, cache_write_tokens: 100 } }),
    ),
    count: [28, 52, 200, 100],
  },
  'Responses, streamed': {
    make: responsesCounter,
    type: `${events}; charset=utf-8`,
    text: named(
      { type: 'response.created', response: response(null, 'in_progress') },
      {
        type: 'response.output_text.delta',
        item_id: 'msg_1',
        output_index: 0,
        content_index: 0,
        delta: 'Hä🙂',
      },
      { type: 'response.completed', response: response(responsesUsage) },
    ),
    count: [128, 52, 200, 0],
  },
  'Responses, ended by its limit': {
    make: responsesCounter,
    type: events,
    text: named({ type: 'response.incomplete', response: response(responsesUsage, 'incomplete') }),
    count: [128, 52, 200, 0],
  },
  'Chat Completions, whole': {
    make: chatCounter,
    type: json,
    text: JSON.stringify({
      ...chunk({ object: 'chat.completion' }),
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
      usage: chatUsage,
      service_tier: 'default',
    }),
    count: [93, 46, 1024, 0],
  },
  'Chat Completions, streamed': {
    make: chatCounter,
    type: events,
    text: stream(
      chunk({
        choices: [{ index: 0, delta: { role: 'assistant', content: 'Hä🙂' }, finish_reason: null }],
        usage: null,
      }),
      chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: null }),
      chunk({ choices: [], usage: chatUsage }),
      '[DONE]',
    ),
    count: [93, 46, 1024, 0],
  },
  'Chat Completions of a server that tells its usage with each chunk': {
    make: chatCounter,
    type: events,
    text: stream(
      chunk({ choices: [], usage: { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 } }),
      chunk({ choices: [], usage: { prompt_tokens: 10, completion_tokens: 7, total_tokens: 17 } }),
      '[DONE]',
    ),
    count: [10, 7, 0, 0],
  },
  'Chat Completions of a server that leaves reasoning out of the output': {
    make: chatCounter,
    type: json,
    text: JSON.stringify({ usage: { prompt_tokens: 32, completion_tokens: 9, total_tokens: 135 } }),
    count: [32, 103, 0, 0],
  },
  'generateContent, whole': {
    make: geminiCounter,
    type: `${json}; charset=UTF-8`,
    text: JSON.stringify(geminiChunk('Hä🙂', geminiEnd, 'STOP')),
    count: [500, 129, 1500, 0],
  },
  'generateContent, with what tools brought': {
    make: geminiCounter,
    type: json,
    text: JSON.stringify(
      geminiChunk(
        'a',
        { candidatesTokenCount: 1, toolUsePromptTokenCount: 7, totalTokenCount: 2008 },
        'STOP',
      ),
    ),
    count: [2007, 1, 0, 0],
  },
  'streamGenerateContent, as events': {
    make: geminiCounter,
    type: events,
    text: stream(
      geminiChunk('Hä', { ...geminiEnd, candidatesTokenCount: 3, totalTokenCount: 2101 }),
      geminiChunk('🙂', geminiEnd, 'STOP'),
    ),
    count: [500, 129, 1500, 0],
  },
  'streamGenerateContent, as one list': {
    make: geminiCounter,
    type: json,
    text: JSON.stringify([
      geminiChunk('Hä', { ...geminiEnd, candidatesTokenCount: 3, totalTokenCount: 2101 }),
      geminiChunk('🙂', geminiEnd, 'STOP'),
    ]),
    count: [500, 129, 1500, 0],
  },
  'Messages, streamed': {
    make: messagesCounter,
    type: events,
    text: named(
      {
        type: 'message_start',
        message: { usage: { input_tokens: 25, output_tokens: 1, cache_read_input_tokens: 7 } },
      },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hä🙂' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 15 } },
      { type: 'message_stop' },
    ),
    count: [25, 15, 7, 0],
  },
}

function countOf({ tokens }: Counter): Count | null {
  return tokens === null ? null : [tokens.input, tokens.output, tokens.cacheRead, tokens.cacheWrite]
}

function read(make: () => Counter, type: string, text: string): Counter {
  const counter = make()
  counter.see(Buffer.from(text), type)
  return counter
}

describe('what an answer reports', () => {
  it.each(Object.entries(answers))('%s', (_what, { make, type, text, count }) => {
    const counter = read(make, type, text)
    expect([countOf(counter), counter.complete]).toEqual([count, true])
  })

  it.each(Object.entries(answers))('%s: is the same however it is cut, and only grows', (_what, answer) => {
    const bytes = Buffer.from(answer.text)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 40 }), (cuts) => {
        const counter = answer.make()
        const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
        let before: Count = [0, 0, 0, 0]
        for (const [index, from] of at.slice(0, -1).entries()) {
          counter.see(bytes.subarray(from, at[index + 1]), answer.type)
          const now = countOf(counter) ?? before
          expect(now.every((each, place) => each >= (before[place] ?? 0))).toBe(true)
          before = now
        }
        expect([countOf(counter), counter.complete]).toEqual([answer.count, true])
      }),
      { numRuns: 60 },
    )
  })

  it.each(Object.entries(answers))(
    '%s: a part of it is not taken for the whole',
    (_what, { make, type, text }) => {
      expect(read(make, type, text.slice(0, text.length / 3)).complete).toBe(false)
    },
  )
})

describe('an answer that lies', () => {
  const chat = (usage: string): string => `{"choices":[{"message":{"content":"x"}}],"usage":${usage}}`

  it.each<[string, string, Count | null]>([
    ['numbers below zero', chat('{"prompt_tokens":-5,"completion_tokens":-1}'), null],
    [
      'numbers that are none',
      chat('{"prompt_tokens":"5","completion_tokens":null,"total_tokens":1.5}'),
      null,
    ],
    ['numbers beyond reason', chat('{"prompt_tokens":1e300,"completion_tokens":99999999999}'), null],
    ['no output', chat('{"prompt_tokens":7,"completion_tokens":-1}'), null],
    [
      'usage twice',
      chat('{"prompt_tokens":7,"completion_tokens":3},"usage":{"prompt_tokens":1}'),
      [7, 3, 0, 0],
    ],
    ['a number twice', chat('{"prompt_tokens":7,"prompt_tokens":1,"completion_tokens":3}'), [7, 3, 0, 0]],
    [
      'more of the cache than there was',
      chat('{"prompt_tokens":7,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":70}}'),
      [0, 3, 70, 0],
    ],
    ['a list of usage', chat('[{"prompt_tokens":7}]'), null],
    ['usage in what the model said', '{"choices":[{"message":{"usage":{"prompt_tokens":7}}}]}', null],
    ['usage in a text', JSON.stringify({ id: '"usage":{"prompt_tokens":7}' }), null],
    ['no object', '[{"usage":{"prompt_tokens":7}}]', null],
    ['nothing', '', null],
  ])('%s', (_what, text, count) => {
    expect(countOf(read(chatCounter, json, text))).toEqual(count)
  })

  it.each([
    [
      'an event that is no JSON',
      stream('{broken', chunk({ choices: [], usage: chatUsage }), '[DONE]'),
      events,
    ],
    ['a stream that says it is a document', stream(chunk({ choices: [], usage: chatUsage }), '[DONE]'), json],
    ['a page', '<html>Bad gateway</html>', 'text/html'],
  ])('%s reports nothing, and is not complete', (_what, text, type) => {
    const counter = read(chatCounter, type, text)
    expect([counter.tokens, counter.complete]).toEqual([null, false])
  })

  it('in an event inside of a text of an event is not believed', () => {
    const lie = 'data: {"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n'
    const counter = read(chatCounter, events, stream(chunk({ choices: [{ delta: { content: lie } }] })))
    expect(counter.tokens).toBeNull()
  })
})

describe('an answer that is cut', () => {
  it.each<[string, () => Counter, string]>([
    ['Responses', responsesCounter, named({ type: 'response.output_text.delta', delta: 'x'.repeat(90) })],
    ['Chat Completions', chatCounter, stream(chunk({ choices: [{ delta: { content: 'x'.repeat(90) } }] }))],
    [
      'a call of Chat Completions',
      chatCounter,
      stream(
        chunk({
          choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: 'x'.repeat(90) } }] } }],
        }),
      ),
    ],
    [
      'generateContent',
      geminiCounter,
      stream({ candidates: [{ content: { parts: [{ text: 'x'.repeat(90) }] } }] }),
    ],
  ])('of %s counts by what was seen of it', (_what, make, text) => {
    const counter = read(make, events, text)
    expect([counter.seenOutput, counter.complete]).toEqual([30, false])
  })

  it('because the provider failed costs what was seen, and not what was set aside', () => {
    const counter = read(
      responsesCounter,
      events,
      named(
        { type: 'response.output_text.delta', delta: 'x'.repeat(9) },
        { type: 'response.failed', response: response(null, 'failed') },
      ),
    )
    expect([countOf(counter), counter.complete, counter.seenOutput]).toEqual([[0, 0, 0, 0], false, 3])
  })
})
