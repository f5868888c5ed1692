import { describe, expect, it, onTestFinished } from 'vitest'
import { anthropic } from '../../../src/gateway/upstreams/anthropic.ts'
import { gemini } from '../../../src/gateway/upstreams/gemini.ts'
import { openai } from '../../../src/gateway/upstreams/openai.ts'
import { type Fault, finish, run, say, type Turn } from '../../support/model/script.ts'
import { type Model, openModel } from '../../support/model/server.ts'
import { type Lab, type LabOptions, openLab, publicAddress, type Reply } from '../lab.ts'

// What is charged is what the model says it sent, to the token: the two know nothing of each other.

const key = 'sk-real/0123456789+abc"def'
const origin = 'http://model.test'
const tokens = { input: 1234, cached: 567, cacheWrite: 89, output: 321, reasoning: 45 }
const script: readonly Turn[] = [
  { actions: [say('Let me see, ä🙂. '.repeat(20)), run('ls')], tokens },
  finish(),
]
const parameters = { type: 'object', properties: { command: { type: 'string' } } }
const user = { role: 'user', content: 'Hi' }

interface Asked {
  readonly path: (stream: boolean) => string
  readonly body: object
  readonly names: 'anthropic' | 'openai' | 'gemini'
}
const apis: Readonly<Record<string, Asked>> = {
  messages: {
    names: 'anthropic',
    path: () => '/anthropic/v1/messages?beta=true',
    body: { max_tokens: 1000, tools: [{ name: 'Bash', input_schema: parameters }], messages: [user] },
  },
  responses: {
    names: 'openai',
    path: () => '/openai/v1/responses',
    body: {
      max_output_tokens: 1000,
      tools: [{ type: 'function', name: 'shell', parameters }],
      input: [user],
    },
  },
  chat: {
    names: 'openai',
    path: () => '/openai/v1/chat/completions',
    body: {
      max_completion_tokens: 1000,
      tools: [{ type: 'function', function: { name: 'bash', parameters } }],
      messages: [user],
    },
  },
  gemini: {
    names: 'gemini',
    path: (stream) =>
      `/gemini/v1beta/models/m-1:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: {
      generationConfig: { maxOutputTokens: 1000 },
      tools: [{ functionDeclarations: [{ name: 'run_shell_command', parameters }] }],
      contents: [{ role: 'user', parts: [{ text: 'Hi' }] }],
    },
  },
}

async function opened(
  fault: Fault | null = null,
  some: LabOptions = {},
): Promise<{ model: Model; lab: Lab }> {
  const model = await openModel({ script, fault: () => fault })
  onTestFinished(() => model[Symbol.asyncDispose]())
  const lab = await openLab({
    upstreams: [anthropic({ origin, key }), openai({ origin, key }), gemini({ origin, key })],
    prices: { 'm-*': { input: 1000, output: 2000, cacheRead: 100, cacheWrite: 1250 } },
    far: Number(new URL(model.origin).port),
    names: { 'model.test': [publicAddress] },
    ...some,
  })
  return { model, lab }
}

const ask = (lab: Lab, { names, path, body }: Asked, stream = true): Promise<Reply> =>
  lab.ask('POST', path(stream), {
    body: JSON.stringify(
      names === 'gemini' ? body : { model: 'm-1', ...(stream ? { stream } : {}), ...body },
    ),
    headers: ['Content-Type: application/json'],
  })

const charged = (lab: Lab): object => {
  const { inputTokens, outputTokens } = lab.passage.counts()
  return { inputTokens, outputTokens }
}

describe.each(Object.entries(apis))('%s', (_name, api) => {
  it.each([true, false])('is charged exactly what the model says it sent (streamed: %s)', async (stream) => {
    const { model, lab } = await opened()
    const reply = await ask(lab, api, stream)
    expect([reply.status, model.had[0]?.conversation.stream]).toEqual([200, stream])
    expect(charged(lab)).toEqual(model.sums())
    expect(charged(lab)).toEqual({ inputTokens: 1890, outputTokens: 366 })
    // Gemini says nothing of what is written to the cache: it is input there.
    const writing = api.names === 'gemini' ? 1000 : 1250
    const usd = 1234 * 1000 + 567 * 100 + 89 * writing + 366 * 2000
    expect(lab.passage.counts().costUsd).toBeCloseTo(usd / 1e6, 6)
    await ask(lab, api, stream)
    expect(charged(lab)).toEqual(model.sums())
  })

  it('is charged exactly where it comes slowly', async () => {
    const { model, lab } = await opened({ kind: 'slow', eventMs: 1 })
    await ask(lab, api)
    expect(charged(lab)).toEqual(model.sums())
  })

  it.each<[Fault, number]>([
    [{ kind: 'rate limit', retryAfter: 7 }, 429],
    [{ kind: 'auth' }, 401],
    [{ kind: 'context' }, 400],
    [{ kind: 'server error' }, 500],
    [{ kind: 'redirect', to: 'http://evil.test/' }, 307],
  ])('passes %j on, and charges nothing', async (fault, status) => {
    const { lab } = await opened(fault)
    const reply = await ask(lab, api)
    expect([reply.status, charged(lab)]).toEqual([status, { inputTokens: 0, outputTokens: 0 }])
    if (fault.kind === 'rate limit') expect(reply.headers['retry-after']).toBe('7')
    expect(lab.story.filter((each) => each.startsWith('resolve'))).toEqual(['resolve model.test'])
  })

  it('passes on that it is overloaded, and charges nothing', async () => {
    const { lab } = await opened({ kind: 'overload' })
    expect([503, 529]).toContain((await ask(lab, api)).status)
    expect(charged(lab)).toEqual({ inputTokens: 0, outputTokens: 0 })
  })

  it('is charged by what was seen of it, or set aside, where its stream is cut', async () => {
    const { model, lab } = await opened({ kind: 'truncated' })
    expect((await ask(lab, api)).body).toContain('<cut>')
    expect(model.had[0]?.told).toBeNull()
    const { outputTokens } = lab.passage.counts()
    expect(outputTokens).toBeGreaterThan(100)
  })

  it('is charged all that was set aside where its answer cannot be read', async () => {
    const { lab } = await opened({ kind: 'content type', type: 'text/html' })
    await ask(lab, api)
    expect(lab.passage.counts().outputTokens).toBe(1000)
  })

  it('is charged all that was set aside where nothing comes', async () => {
    const { lab } = await opened({ kind: 'hang' }, { limits: { idleMs: 150 } })
    expect((await ask(lab, api)).status).toBe(502)
    expect(lab.passage.counts().outputTokens).toBe(1000)
  })

  it('hands on a malformed call as it is, and counts it', async () => {
    const { model, lab } = await opened({ kind: 'malformed call' })
    expect((await ask(lab, api)).status).toBe(200)
    expect(charged(lab)).toEqual(model.sums())
  })

  it('hands on no credential that the model says back', async () => {
    const { model, lab } = await opened({ kind: 'echo' })
    const reply = await ask(lab, api, false)
    expect(JSON.stringify(model.had[0]?.headers)).toContain('0123456789+abc')
    expect(JSON.stringify(reply)).not.toContain('0123456789+abc')
    expect(reply.headers['x-echo']).toContain('redacted')
    expect(lab.leaks.length).toBeGreaterThan(0)
  })
})
