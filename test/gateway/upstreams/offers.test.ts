import { describe, expect, it } from 'vitest'
import { gemini } from '../../../src/gateway/upstreams/gemini.ts'
import { openai } from '../../../src/gateway/upstreams/openai.ts'
import type { Upstream } from '../../../src/gateway/upstreams/upstream.ts'
import type { Lab, LabOptions, Reply } from '../lab.ts'
import { until } from '../../support/until.ts'
import { type Answer, openProvider } from './provider.ts'

// What each upstream passes on, refuses and adds, through the whole gateway.

const key = 'sk-real/0123456789+abc"def'
const origin = 'http://model.test'
const made: Readonly<Record<string, Upstream>> = {
  openai: openai({ origin, key }),
  'openai-compatible': openai({ name: 'openai-compatible', origin: `${origin}/v1`, key: null }),
  gemini: gemini({ origin, key }),
}

const chatUsage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 }
const usages = {
  usage: { input_tokens: 100, output_tokens: 20, ...chatUsage },
  usageMetadata: { promptTokenCount: 100, candidatesTokenCount: 20, totalTokenCount: 120 },
}

/** Answers everything, and keeps what came. */
async function opened(name: string, some: LabOptions = {}, answer?: Answer) {
  const got: { path: string; headers: Record<string, unknown>; body: string }[] = []
  const { lab } = await openProvider(
    (request, response, body) => {
      got.push({ path: request.url ?? '', headers: request.headers, body })
      if (answer !== undefined) return answer(request, response, body)
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(usages))
    },
    { upstreams: [made[name] ?? openai({ key })], ...some },
  )
  return { lab, got }
}

const paths = {
  responses: '/openai/v1/responses',
  chat: '/openai/v1/chat/completions',
  gemini: '/gemini/v1beta/models/m-1:generateContent',
} as const
type Api = keyof typeof paths
const bodies: Readonly<Record<Api, object>> = {
  responses: { model: 'm-1', max_output_tokens: 50, input: [{ role: 'user', content: 'Hi' }] },
  chat: { model: 'm-1', max_completion_tokens: 50, messages: [{ role: 'user', content: 'Hi' }] },
  gemini: {
    contents: [{ role: 'user', parts: [{ text: 'Hi' }] }],
    generationConfig: { maxOutputTokens: 50 },
  },
}
const upstreamOf = (api: Api): string => (api === 'gemini' ? 'gemini' : 'openai')
const post = (
  lab: Lab,
  path: string,
  body: object | string,
  headers: readonly string[] = [],
): Promise<Reply> =>
  lab.ask('POST', path, {
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: ['Content-Type: application/json', ...headers],
  })

describe('an upstream is a list of methods and paths', () => {
  it.each([
    ['openai', 'POST', '/v1/responses', 200],
    ['openai', 'POST', '/v1/chat/completions', 200],
    ['openai', 'GET', '/v1/models', 200],
    ['openai', 'HEAD', '/', 200],
    ['openai', 'GET', '/v1/responses', 403],
    ['openai', 'GET', '/v1/responses/resp_1', 403],
    ['openai', 'DELETE', '/v1/responses/resp_1', 403],
    ['openai', 'POST', '/v1/responses/resp_1/cancel', 403],
    ['openai', 'POST', '/v1/completions', 403],
    ['openai', 'POST', '/v1/files', 403],
    ['openai', 'POST', '/v1/batches', 403],
    ['openai', 'POST', '/v1/images/generations', 403],
    ['openai', 'POST', '/v1/realtime/sessions', 403],
    ['openai', 'GET', '/v1/organization/users', 403],
    ['openai', 'POST', '/v1/responses/', 403],
    ['openai', 'POST', '/v1/./responses', 403],
    ['openai', 'POST', '/v1/%72esponses', 403],
    ['openai-compatible', 'POST', '/v1/chat/completions', 200],
    ['openai-compatible', 'POST', '/api/pull', 403],
    ['gemini', 'POST', '/v1beta/models/gemini-2.5-pro:generateContent', 200],
    ['gemini', 'POST', '/v1/models/gemini-2.5-pro:streamGenerateContent', 200],
    ['gemini', 'POST', '/v1beta/models/gemini-2.5-pro:countTokens', 200],
    ['gemini', 'GET', '/v1beta/models', 200],
    ['gemini', 'GET', '/v1beta/models/gemini-2.5-pro', 200],
    ['gemini', 'POST', '/v1beta/models/gemini-2.5-pro:batchGenerateContent', 403],
    ['gemini', 'POST', '/v1beta/models/a/../b:generateContent', 403],
    ['gemini', 'POST', '/v1beta/tunedModels/t:generateContent', 403],
    ['gemini', 'POST', '/v1beta/cachedContents', 403],
    ['gemini', 'GET', '/v1beta/files', 403],
    ['gemini', 'POST', '/upload/v1beta/files', 403],
  ])('%s: %s %s: %i', async (name, method, path, status) => {
    const { lab, got } = await opened(name)
    const body = name === 'gemini' ? bodies.gemini : { ...bodies.chat, ...bodies.responses }
    const reply = await lab.ask(
      method,
      `/${name}${path}`,
      method === 'POST' ? { body: JSON.stringify(body) } : {},
    )
    expect([reply.status, got.length]).toEqual([status, status === 200 && method !== 'HEAD' ? 1 : 0])
    if (status === 403) expect(JSON.parse(reply.body)).toHaveProperty('error.message')
  })

  it('no WebSocket is opened: it says so, and agents go on with HTTP', async () => {
    const { lab, got } = await opened('openai')
    const reply = await lab.ask('GET', '/openai/v1/responses', {
      headers: [
        'Upgrade: websocket',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Version: 13',
      ],
    })
    expect([reply.status, got]).toEqual([426, []])
    expect(reply.body).toContain('no WebSocket. Send it as a POST.')
  })
})

describe('the credential', () => {
  it('goes in the provider’s own header, and none of the box’s goes', async () => {
    const own = ['Authorization: Bearer placeholder', 'X-Api-Key: placeholder', 'OpenAI-Project: other']
    const { lab, got } = await opened('openai')
    await post(lab, `${paths.chat}?key=placeholder`, bodies.chat, own)
    expect(got[0]?.headers).toMatchObject({ authorization: `Bearer ${key}` })
    expect(JSON.stringify(got)).not.toMatch(/placeholder|other/)
  })

  it('of Gemini is no part of the address', async () => {
    const { lab, got } = await opened('gemini')
    const path = paths.gemini.replace(':generate', ':streamGenerate')
    await post(
      lab,
      `${path}?alt=sse&key=placeholder&access_token=placeholder&%6bey=placeholder`,
      bodies.gemini,
      ['X-Goog-Api-Key: placeholder', 'Authorization: Bearer placeholder', 'X-Goog-User-Project: other'],
    )
    expect(got.map((each) => each.path)).toEqual(['/v1beta/models/m-1:streamGenerateContent?alt=sse'])
    expect(got[0]?.headers['x-goog-api-key']).toBe(key)
    expect(JSON.stringify(got)).not.toMatch(/placeholder|other/)
  })

  it('is none where a server of one’s own wants none', async () => {
    const { lab, got } = await opened('openai-compatible')
    await post(lab, '/openai-compatible/v1/chat/completions', bodies.chat, [
      'Authorization: Bearer placeholder',
    ])
    expect([got[0]?.path, got[0]?.headers['authorization']]).toEqual(['/v1/chat/completions', undefined])
  })

  it.each(Object.keys(paths) as Api[])('that comes back is taken out (%s)', async (api) => {
    const { lab } = await opened(upstreamOf(api), {}, (_request, response) => {
      response
        .writeHead(200, { 'content-type': 'application/json', 'x-echo': key })
        .end(JSON.stringify({ ...usages, text: `Bearer ${key}` }))
    })
    const reply = await post(lab, paths[api], bodies[api])
    expect(reply.status).toBe(200)
    expect(JSON.stringify(reply)).not.toContain('0123456789+abc')
    expect(reply.body).toContain('redacted')
  })
})

const inInput = (part: object): object => ({ input: [{ role: 'user', content: [part] }] })
const inMessages = (part: object): object => ({ messages: [{ role: 'user', content: [part] }] })
const inParts = (part: object): object => ({ contents: [{ role: 'user', parts: [part] }] })
const page = 'http://evil.test/?q=secret'

describe('what makes the provider reach the network or run code is refused', () => {
  it.each<[Api, object]>([
    ...[
      'web_search',
      'web_search_preview',
      'web_search_2025_08_26',
      'file_search',
      'code_interpreter',
      'computer_use_preview',
      'image_generation',
      'shell',
      'telepathy',
    ].map((type): [Api, object] => ['responses', { tools: [{ type: 'function', name: 'f' }, { type }] }]),
    ['responses', { tools: [{ type: 'mcp', server_label: 'e', server_url: page }] }],
    ['responses', { tools: [{ type: 'namespace', name: 'n', tools: [{ type: 'web_search' }] }] }],
    ['responses', { tools: [{ type: 7 }] }],
    ['responses', { input: [{ type: 'tool_search_output', tools: [{ type: 'mcp', server_url: page }] }] }],
    ['responses', { model: 'o4-mini-deep-research' }],
    ['responses', inInput({ type: 'input_image', image_url: page })],
    ['responses', inInput({ type: 'input_image', file_id: 'file-1' })],
    ['responses', inInput({ type: 'input_file', file_url: page })],
    [
      'responses',
      { input: [{ type: 'function_call_output', output: [{ type: 'input_image', image_url: page }] }] },
    ],
    ['chat', { web_search_options: {} }],
    ['chat', { plugins: [{ id: 'web' }] }],
    ['chat', { search_parameters: { mode: 'on' } }],
    ['chat', { enable_search: true }],
    ['chat', { model: 'some/model:online' }],
    ['chat', { model: 'gpt-4o-search-preview' }],
    ['chat', { tools: [{ type: 'web_search' }] }],
    ['chat', inMessages({ type: 'image_url', image_url: { url: page } })],
    ['chat', inMessages({ type: 'image_url', image_url: page })],
    ['chat', inMessages({ type: 'file', file: { file_id: 'file-1' } })],
    ...[
      'googleSearch',
      'google_search',
      'googleSearchRetrieval',
      'google_search_retrieval',
      'urlContext',
      'url_context',
      'codeExecution',
      'code_execution',
      'fileSearch',
      'googleMaps',
      'computerUse',
      'mcpServers',
    ].map((name): [Api, object] => ['gemini', { tools: [{ functionDeclarations: [] }, { [name]: {} }] }]),
    ['gemini', inParts({ fileData: { fileUri: page } })],
    ['gemini', inParts({ file_data: { file_uri: page } })],
    ['gemini', { systemInstruction: { parts: [{ fileData: { fileUri: page } }] } }],
  ])('%s: %j', async (api, some) => {
    const { lab, got } = await opened(upstreamOf(api))
    const reply = await post(lab, paths[api], { ...bodies[api], ...some })
    expect([reply.status, lab.last()?.rule, got]).toEqual([400, 'request', []])
    expect(JSON.parse(reply.body)).toHaveProperty(
      'error.message',
      expect.stringContaining('the provider would reach the network'),
    )
  })
})

describe('what cannot be counted, has no price or is kept at the provider is refused', () => {
  it.each<[Api, object | string]>([
    ['responses', { background: true }],
    ['responses', { store: true }],
    ['responses', { previous_response_id: 'resp_1' }],
    ['responses', { conversation: { id: 'conv_1' } }],
    ['responses', { prompt: { id: 'pmpt_1' } }],
    ['responses', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
    ['responses', { service_tier: 'priority' }],
    ['responses', { max_output_tokens: -1 }],
    ['responses', { max_output_tokens: '50' }],
    ['responses', '{"model":"m-1","model":"m-2","input":"Hi"}'],
    ['responses', '{"model":"m-1","store":false,"store":true,"input":"Hi"}'],
    ['responses', '{"model":"m-1","tools":[],"tools":[{"type":"mcp"}]}'],
    ['responses', '[{"model":"m-1"}]'],
    ['responses', { model: null }],
    ['chat', { store: true }],
    ['chat', { n: 1.5 }],
    ['chat', { modalities: ['text', 'audio'] }],
    ['chat', { audio: { voice: 'alloy' } }],
    ['chat', { service_tier: 'priority' }],
    ['chat', { stream: true, stream_options: { include_usage: false } }],
    ['chat', { stream: true, stream_options: {} }],
    ['chat', '{"model":"m-1","stream":true,"stream_options":{"include_usage":true,"include_usage":false}}'],
    ['gemini', { cachedContent: 'cachedContents/1' }],
    ['gemini', { cached_content: 'cachedContents/1' }],
    ['gemini', { model: 'models/m-2' }],
    ['gemini', { generationConfig: { maxOutputTokens: 5, max_output_tokens: 50_000 } }],
    ['gemini', { generationConfig: {}, generation_config: { maxOutputTokens: 50_000 } }],
    ['gemini', { generationConfig: { responseModalities: ['TEXT', 'IMAGE'] } }],
    ['gemini', { serviceTier: 'SERVICE_TIER_PRIORITY' }],
    ['gemini', { tools: { googleSearch: {} } }],
    ['gemini', '[{"contents":[]}]'],
  ])('%s: %j', async (api, some) => {
    const { lab, got } = await opened(upstreamOf(api))
    const body = typeof some === 'string' ? some : { ...bodies[api], ...some }
    const reply = await post(lab, paths[api], body)
    expect([reply.status, lab.last()?.rule, got]).toEqual([400, 'request', []])
  })
})

describe('what agents send passes', () => {
  const data = 'data:image/png;base64,AAAA'
  it.each<[Api, object]>([
    [
      'responses',
      {
        tools: [
          { type: 'function', name: 'f', parameters: {} },
          { type: 'custom', name: 'apply_patch' },
        ],
      },
    ],
    ['responses', { tools: [{ type: 'local_shell' }, { type: 'namespace', tools: [{ type: 'function' }] }] }],
    [
      'responses',
      { store: false, background: false, previous_response_id: null, service_tier: 'auto', stream: true },
    ],
    [
      'responses',
      { input: 'Look at https://example.com/ and its web_search', include: ['reasoning.encrypted_content'] },
    ],
    ['responses', inInput({ type: 'input_image', image_url: data, file_id: null })],
    ['responses', { input: [{ type: 'function_call', arguments: JSON.stringify({ image_url: page }) }] }],
    [
      'chat',
      {
        tools: [{ type: 'function', function: { name: 'f', parameters: { properties: { image_url: {} } } } }],
      },
    ],
    ['chat', { ...inMessages({ type: 'image_url', image_url: { url: data } }), n: 1, store: false }],
    [
      'gemini',
      { tools: [{ functionDeclarations: [{ name: 'google_search' }] }, { function_declarations: [] }] },
    ],
    ['gemini', inParts({ functionCall: { name: 'f', args: { fileUri: page } } })],
    ['gemini', inParts({ functionResponse: { name: 'f', response: { file_uri: page } } })],
    ['gemini', inParts({ inlineData: { mimeType: 'image/png', data: 'AAAA' } })],
  ])('%s: %j', async (api, some) => {
    const { lab } = await opened(upstreamOf(api))
    expect((await post(lab, paths[api], { ...bodies[api], ...some })).status).toBe(200)
    expect(lab.passage.counts()).toMatchObject({ inputTokens: 100, outputTokens: 20 })
  })
})

describe('what the gateway adds to a request', () => {
  it('asks that nothing is kept, where nothing was said', async () => {
    const { lab, got } = await opened('openai')
    await post(lab, paths.responses, '  {"model":"m-1","input":"} ä🙂"}\n ')
    expect(got[0]?.body).toBe('  {"model":"m-1","input":"} ä🙂","store":false}\n ')
    expect(Number(got[0]?.headers['content-length'])).toBe(Buffer.byteLength(got[0]?.body ?? ''))
  })

  it('asks for the usage of a stream, where that was not asked for', async () => {
    const { lab, got } = await opened('openai')
    const asked = { ...bodies.chat, stream: true }
    await post(lab, paths.chat, asked)
    const whole = { ...asked, stream_options: { include_usage: true } }
    expect(JSON.parse(got[0]?.body ?? '')).toEqual(whole)
    await post(lab, paths.chat, whole)
    expect(got[1]?.body).toBe(JSON.stringify(whole))
  })

  it.each([1, 7, 4096])(
    'is taken out of the answer again, for a box that did not ask (in pieces of %i)',
    async (size) => {
      const said = ['Hä', '🙂'].map(
        (content) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`,
      )
      const usage = `data: ${JSON.stringify({ choices: [], usage: chatUsage })}\r\n\r\n`
      const bytes = Buffer.from([': ping\n\n', ...said, usage, 'data: [DONE]\n\n', 'rest'].join(''))
      const { lab } = await opened('openai-compatible', {}, (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream', 'content-length': bytes.length })
        for (let at = 0; at < bytes.length; at += size) response.write(bytes.subarray(at, at + size))
        response.end()
      })
      const path = '/openai-compatible/v1/chat/completions'
      const got = async (some: object): Promise<string> =>
        Buffer.from(
          (await post(lab, path, { ...bodies.chat, stream: true, ...some })).body,
          'latin1',
        ).toString()
      expect(await got({})).toBe(bytes.toString().replace(usage, ''))
      expect(await got({ stream_options: { include_usage: true } })).toBe(bytes.toString())
      // It is counted all the same.
      expect(lab.passage.counts()).toMatchObject({ inputTokens: 200, outputTokens: 40 })
    },
  )

  it('is nothing else: the rest goes as it came, byte for byte', async () => {
    const { lab, got } = await opened('openai')
    const body = ` ${JSON.stringify({ ...bodies.responses, store: false }, null, 1)}\n`
    await post(lab, paths.responses, body)
    expect(got[0]?.body).toBe(body)
  })
})

describe('a budget is held before the call', () => {
  const left = { tokens: 200, costUsd: null }

  it.each<[Api, object]>([
    ['responses', { max_output_tokens: 500 }],
    ['responses', { max_output_tokens: null }],
    ['chat', { max_completion_tokens: 500 }],
    ['chat', { max_completion_tokens: undefined, max_tokens: 500 }],
    ['chat', { max_completion_tokens: 50, n: 10 }],
    ['gemini', { generationConfig: { maxOutputTokens: 500 } }],
    ['gemini', { generationConfig: { max_output_tokens: 500 } }],
    ['gemini', { generationConfig: { maxOutputTokens: 50, candidateCount: 10 } }],
    ['gemini', { generationConfig: {} }],
  ])('%s: %j does not fit', async (api, some) => {
    const { lab, got } = await opened(upstreamOf(api), { left })
    expect((await post(lab, paths[api], bodies[api])).status).toBe(200)
    lab.purse.tokens = 200
    const reply = await post(lab, paths[api], { ...bodies[api], ...some })
    expect([reply.status, reply.headers['x-should-retry'], got.length]).toEqual([429, 'false', 1])
    // By these words agents know that it does not pass.
    expect(reply.body).toContain(api === 'gemini' ? 'RESOURCE_EXHAUSTED' : 'insufficient_quota')
    expect(lab.exhausted).toEqual(['tokens'])
  })

  it('with what calls under way may come to, which passes', async () => {
    const going: (() => void)[] = []
    const { lab } = await opened('openai', { left }, (_request, response) => {
      going.push(() =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(usages)),
      )
    })
    const body = { ...bodies.chat, max_completion_tokens: 100 }
    const first = post(lab, paths.chat, body)
    await until(() => going.length === 1)
    const second = await post(lab, paths.chat, body)
    expect([second.status, second.headers['x-should-retry']]).toEqual([429, 'true'])
    expect(second.body).toContain('rate_limit_exceeded')
    going[0]?.()
    expect((await first).status).toBe(200)
  })

  it.each<[number, number]>([
    [100, 200],
    [1000, 429],
  ])(
    'with the most that the model gives (%i), where the call names no limit: %i',
    async (maxOutput, status) => {
      const price = { input: 1000, output: 2000, cacheRead: 100, cacheWrite: 1000, maxOutput }
      const { lab } = await opened('openai', { left, prices: { 'm-1': price } })
      const reply = await post(lab, paths.responses, { ...bodies.responses, max_output_tokens: null })
      expect(reply.status).toBe(status)
    },
  )

  it('costs what the cache costs for what came of it', async () => {
    const { lab } = await opened('openai', {}, (_request, response) => {
      const usage = { ...usages.usage, input_tokens_details: { cached_tokens: 60 } }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ usage }))
    })
    await post(lab, paths.responses, bodies.responses)
    expect(lab.spent[0]?.costUsd).toBeCloseTo((40 * 1000 + 60 * 100 + 20 * 2000) / 1e6, 9)
  })
})
