import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Fault, finish, run, say, type Turn, turn, write } from './script.ts'
import { type Model, openModel } from './server.ts'

// The providers' own programs read what the server says, so that its shapes are theirs.

const tokens = { input: 100, cached: 40, cacheWrite: 10, output: 7, reasoning: 5 }
const script: readonly Turn[] = [
  { actions: [say('Let me see, ä🙂.'), run('npm test')], tokens },
  turn(write('/work/a.txt', 'one\n')),
  finish(),
]
const parameters = {
  type: 'object',
  properties: { command: { type: 'string' }, why: { type: 'string' } },
  required: ['command', 'why'],
}

/** What an agent got from one call, whatever the API. */
interface Got {
  readonly text: string
  readonly calls: readonly { readonly name: string; readonly input: unknown }[]
  readonly input: number | undefined
  readonly output: number | undefined
}

interface Asker {
  /** `round`: how often the model has answered before. */
  readonly ask: (model: Model, stream: boolean, round: number) => Promise<Got>
  /** The `cached` tokens are told beside the input, not in it. */
  readonly isApart: boolean
}

const askers: Readonly<Record<string, Asker>> = {
  messages: {
    isApart: true,
    async ask(model, stream, round) {
      const client = new Anthropic({ baseURL: model.origin, apiKey: 'placeholder', maxRetries: 0 })
      const body: Anthropic.MessageCreateParamsNonStreaming = {
        model: 'm-1',
        max_tokens: 100,
        tools: [{ name: 'Bash', input_schema: { ...parameters, type: 'object' } }],
        messages: [
          { role: 'user', content: 'Hi' },
          ...Array.from({ length: round }, (_, at): Anthropic.MessageParam[] => [
            { role: 'assistant', content: [{ type: 'tool_use', id: `t${at}`, name: 'Bash', input: {} }] },
            { role: 'user', content: [{ type: 'tool_result', tool_use_id: `t${at}`, content: 'ok' }] },
          ]).flat(),
        ],
      }
      const got = stream
        ? await client.messages.stream(body).finalMessage()
        : await client.messages.create(body)
      return {
        text: got.content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
        calls: got.content.flatMap((part) => (part.type === 'tool_use' ? [part] : [])),
        input: got.usage.input_tokens,
        output: got.usage.output_tokens,
      }
    },
  },
  responses: {
    isApart: false,
    async ask(model, stream, round) {
      const body: OpenAI.Responses.ResponseCreateParamsNonStreaming = {
        model: 'm-1',
        tools: [{ type: 'function', name: 'shell_command', parameters, strict: false }],
        input: [
          { role: 'user', content: 'Hi' },
          ...Array.from({ length: round }, (_, at): OpenAI.Responses.ResponseInputItem[] => [
            { type: 'function_call', call_id: `c${at}`, name: 'shell_command', arguments: '{}' },
            { type: 'function_call_output', call_id: `c${at}`, output: 'ok' },
          ]).flat(),
        ],
      }
      const got = stream
        ? await openai(model)
            .responses.stream({ ...body, stream: true })
            .finalResponse()
        : await openai(model).responses.create(body)
      return {
        text: got.output
          .flatMap((item) => (item.type === 'message' ? item.content : []))
          .map((part) => (part.type === 'output_text' ? part.text : ''))
          .join(''),
        calls: got.output.flatMap((item) =>
          item.type === 'function_call'
            ? [{ name: item.name, input: JSON.parse(item.arguments) as unknown }]
            : [],
        ),
        input: got.usage?.input_tokens,
        output: got.usage?.output_tokens,
      }
    },
  },
  chat: {
    isApart: false,
    async ask(model, stream, round) {
      const body: OpenAI.ChatCompletionCreateParamsNonStreaming = {
        model: 'm-1',
        tools: [{ type: 'function', function: { name: 'bash', parameters } }],
        messages: [
          { role: 'user', content: 'Hi' },
          ...Array.from({ length: round }, (_, at): OpenAI.ChatCompletionMessageParam[] => [
            {
              role: 'assistant',
              tool_calls: [{ id: `c${at}`, type: 'function', function: { name: 'bash', arguments: '{}' } }],
            },
            { role: 'tool', tool_call_id: `c${at}`, content: 'ok' },
          ]).flat(),
        ],
      }
      const got = stream
        ? await openai(model)
            .chat.completions.stream({ ...body, stream: true, stream_options: { include_usage: true } })
            .finalChatCompletion()
        : await openai(model).chat.completions.create(body)
      const message = got.choices[0]?.message
      return {
        text: message?.content ?? '',
        calls: (message?.tool_calls ?? []).flatMap((each) =>
          each.type === 'function'
            ? [{ name: each.function.name, input: JSON.parse(each.function.arguments) as unknown }]
            : [],
        ),
        input: got.usage?.prompt_tokens,
        output: got.usage?.completion_tokens,
      }
    },
  },
  gemini: {
    isApart: false,
    async ask(model, stream, round) {
      const client = new GoogleGenAI({ apiKey: 'placeholder', httpOptions: { baseUrl: model.origin } })
      const body = {
        model: 'm-1',
        config: {
          tools: [
            { functionDeclarations: [{ name: 'run_shell_command', parametersJsonSchema: parameters }] },
          ],
        },
        contents: [
          { role: 'user', parts: [{ text: 'Hi' }] },
          ...Array.from({ length: round }, () => [
            { role: 'model', parts: [{ functionCall: { name: 'run_shell_command', args: {} } }] },
            {
              role: 'user',
              parts: [{ functionResponse: { name: 'run_shell_command', response: { output: 'ok' } } }],
            },
          ]).flat(),
        ],
      }
      const got = stream
        ? await gathered(await client.models.generateContentStream(body))
        : [await client.models.generateContent(body)]
      const usage = got.at(-1)?.usageMetadata
      const parts = got.flatMap((each) => each.candidates?.[0]?.content?.parts ?? [])
      return {
        text: parts.map((part) => part.text ?? '').join(''),
        calls: parts.flatMap(({ functionCall: call }) =>
          call === undefined ? [] : [{ name: call.name ?? '', input: call.args }],
        ),
        input: usage?.promptTokenCount,
        output: (usage?.candidatesTokenCount ?? 0) + (usage?.thoughtsTokenCount ?? 0),
      }
    },
  },
}

const openai = (model: Model): OpenAI =>
  new OpenAI({ baseURL: `${model.origin}/v1`, apiKey: 'placeholder', maxRetries: 0 })

async function gathered<T>(from: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const each of from) all.push(each)
  return all
}

async function opened(fault: Fault | null = null): Promise<Model> {
  const model = await openModel({ script, fault: () => fault })
  onTestFinished(() => model[Symbol.asyncDispose]())
  return model
}

describe.each(Object.entries(askers))(
  'the provider’s own program reads from %s',
  (_name, { ask, isApart }) => {
    it.each([false, true])('a text, a call and the usage (streamed: %s)', async (stream) => {
      const model = await opened()
      const got = await ask(model, stream, 0)
      expect(got.text).toBe('Let me see, ä🙂.')
      expect(got.calls.map(({ input }) => input)).toEqual([{ command: 'npm test', why: 'scripted' }])
      expect([got.input, got.output]).toEqual([isApart ? 100 : 150, 12])
      expect(model.sums()).toEqual({ inputTokens: 150, outputTokens: 12 })
    })

    it.each([false, true])('what comes next in the conversation (streamed: %s)', async (stream) => {
      const model = await opened()
      const next = await ask(model, stream, 1)
      // There is no tool that writes, so a command does it.
      expect(JSON.stringify(next.calls[0]?.input)).toContain('base64 -d')
      const last = await ask(model, stream, 2)
      expect([last.text, last.calls]).toEqual(['All done.\n\nTASK_STATE: DONE', []])
      expect(model.had.map(({ conversation }) => conversation.round)).toEqual([1, 2])
    })

    it.each<[Fault, number]>([
      [{ kind: 'rate limit', retryAfter: 3 }, 429],
      [{ kind: 'auth' }, 401],
      [{ kind: 'context' }, 400],
      [{ kind: 'server error' }, 500],
    ])('the error %j', async (fault, status) => {
      const model = await opened(fault)
      await expect(ask(model, false, 0)).rejects.toMatchObject({ status })
      expect(model.sums()).toEqual({ inputTokens: 0, outputTokens: 0 })
    })

    it('that it is overloaded', async () => {
      const model = await opened({ kind: 'overload' })
      const error: unknown = await ask(model, false, 0).catch((reason: unknown) => reason)
      expect([503, 529]).toContain((error as { status?: number }).status)
    })

    it('a stream that is slow, as a whole', async () => {
      const got = await ask(await opened({ kind: 'slow', eventMs: 2 }), true, 0)
      expect(got.calls).toHaveLength(1)
    })

    it('what is no answer, as an error or without a call', async () => {
      const model = await opened({ kind: 'truncated' })
      const error: unknown = await ask(model, false, 0).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(Error)
    })

    it('its own credential', async () => {
      expect((await ask(await opened({ kind: 'echo' }), false, 0)).text).toContain('The key is placeholder.')
    })
  },
)

it('a stream of Chat Completions tells its usage only where it is asked to', async () => {
  const model = await opened()
  const stream = await openai(model).chat.completions.create({
    model: 'm-1',
    stream: true,
    messages: [{ role: 'user', content: 'Hi' }],
  })
  const chunks = await gathered(stream)
  expect(chunks.length).toBeGreaterThan(2)
  expect(chunks.filter(({ usage }) => usage !== undefined)).toEqual([])
})
