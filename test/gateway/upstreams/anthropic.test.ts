import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { until } from '../../support/until.ts'
import type { LabOptions } from '../lab.ts'
import { encoded } from '../spellings.ts'
import { call, document, key, message, openProvider, prices, whole } from './provider.ts'

const usage = { input_tokens: 100, output_tokens: 50 }

describe('the credential', () => {
  it('is added outside, and what the box handed in is dropped', async () => {
    let seen: NodeJS.Dict<string | string[]> = {}
    const { lab } = await openProvider((request, response) => {
      seen = request.headers
      response.end(document(usage))
    })
    const reply = await call(lab, message(), [
      'Authorization: Bearer placeholder',
      'Cookie: a=b',
      'X-Stays: here',
    ])
    expect(reply.status).toBe(200)
    expect(seen).toMatchObject({ 'x-api-key': key, 'x-stays': 'here' })
    const sent = JSON.stringify(seen)
    expect(sent).not.toContain('placeholder')
    expect(sent).not.toContain('cookie')
    expect(sent).toContain('model.test')
  })

  it('none is added where there is none', async () => {
    const { lab, web } = await openProvider(whole(usage), { key: null })
    expect((await call(lab)).status).toBe(200)
    expect(web.seen[0]).not.toMatch(/x-api-key|authorization/i)
  })

  it('is added for its provider alone', async () => {
    const { lab, web } = await openProvider((_request, response) => response.end('ok'))
    expect(
      (await lab.ask('GET', 'http://allowed.test/v1/models', { headers: ['X-Api-Key: placeholder'] })).status,
    ).toBe(200)
    expect(web.seen.join('')).not.toContain(key)
  })

  it.each(encoded(key))('does not come back to the box (%s)', async (_what, spelling, encoding) => {
    const { lab } = await openProvider((_request, response) => {
      response.writeHead(401, { 'content-type': 'application/json', 'x-echo': encodeURIComponent(key) })
      response.write(`{"error":"${spelling.slice(0, 9)}`)
      setTimeout(() => response.end(`${spelling.slice(9)} is wrong"}`), 10)
    })
    const reply = await call(lab)
    expect(reply.body).toBe('{"error":"[redacted:anthropic credential] is wrong"}')
    expect(JSON.stringify(reply)).not.toContain(key)
    expect(lab.leaks).toContainEqual({ secret: 'anthropic credential', way: 'down', encoding })
  })
})

describe('a secret in a call', () => {
  it.each(encoded(key))('%s: nothing of the call goes out', async (_what, spelling, encoding) => {
    const { lab, web } = await openProvider(whole(usage))
    // Where the spelling has quotes of its own, they are escaped, as they would be.
    const body = message().replace('Hi', spelling)
    const reply = await call(lab, body)
    expect([reply.status, lab.last()?.rule, lab.leaks]).toEqual([
      403,
      'leak',
      [{ secret: 'anthropic credential', way: 'up', encoding }],
    ])
    expect(JSON.parse(reply.body)).toMatchObject({ type: 'error', error: { type: 'permission_error' } })
    expect(web.seen).toEqual([])
    expect(lab.spent).toEqual([])
  })

  it.each<[string, string, readonly string[]]>([
    ['query', `/anthropic/v1/models?after=${encodeURIComponent(key)}`, []],
    ['header', '/anthropic/v1/models', [`X-Note: ${key}`]],
    ['credential, for whoever knows it', '/anthropic/v1/models', [`X-Api-Key: ${key}`]],
  ])('in its %s: nothing goes out', async (_what, path, headers) => {
    const { lab, web } = await openProvider(whole(usage))
    expect((await lab.ask('GET', path, { headers })).status).toBe(403)
    expect(web.seen).toEqual([])
    expect(JSON.stringify(lab.decisions)).not.toContain(key)
  })

  it('cut across the pieces of its body is found', async () => {
    const { lab, web } = await openProvider(whole(usage))
    const body = message().replace('Hi', key)
    const at = body.indexOf(key) + 10
    const wire = await lab.connect()
    wire.send(
      `POST /anthropic/v1/messages HTTP/1.1\r\nHost: 127.0.0.1:3128\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body.slice(0, at)}`,
    )
    await new Promise((resolve) => setTimeout(resolve, 50))
    wire.send(body.slice(at))
    expect(await wire.untilEnd()).toContain(' 403 ')
    expect(web.seen).toEqual([])
  })
})

describe('what the provider is asked for', () => {
  it.each([
    ['POST', '/anthropic/v1/messages/count_tokens', 200],
    ['GET', '/anthropic/v1/models', 200],
    ['GET', '/anthropic/v1/models?limit=5', 200],
    ['HEAD', '/anthropic', 200],
    ['HEAD', '/anthropic/', 200],
    ['GET', '/anthropic/', 403],
    ['GET', '/anthropic/v1/messages', 403],
    ['DELETE', '/anthropic/v1/models', 403],
    ['POST', '/anthropic/v1/messages/batches', 403],
    ['POST', '/anthropic/v1/messages/', 403],
    ['POST', '/anthropic/v1//messages', 403],
    ['POST', '/anthropic/v1/x/../messages', 403],
    ['POST', '/anthropic/v1/%6Dessages', 403],
    ['GET', '/anthropic/v1/models/../files', 403],
    ['GET', '/anthropic/v1/files', 403],
    ['GET', '/anthropic/v1/organizations/api_keys', 403],
    ['POST', '/anthropic/v1/complete', 403],
    ['GET', '/nobody/v1/models', 403],
    ['GET', '/Anthropic/v1/models', 403],
  ])('%s %s: %i', async (method, path, status) => {
    const { lab, web } = await openProvider((_request, response) => response.end('{}'))
    const reply = await lab.ask(method, path, method === 'POST' ? { body: message() } : {})
    expect([reply.status, reply.headers['x-should-retry']]).toEqual([
      status,
      status === 200 || !path.startsWith('/anthropic') ? undefined : 'false',
    ])
    if (status !== 200 || method === 'HEAD') expect(web.seen).toEqual([])
    if (status === 403 && path.startsWith('/anthropic'))
      expect(JSON.parse(reply.body)).toMatchObject({ type: 'error', error: { type: 'permission_error' } })
    expect(lab.spent).toEqual([])
  })

  it.each<[string, LabOptions, string, string]>([
    [
      'nobody',
      {},
      'it has anthropic',
      'To allow it, name it in policy.upstreams of cofferdam.yaml and start a new task.',
    ],
    [
      'anthropic',
      { boxUpstreams: [] },
      'it has none',
      'To allow it, name it in policy.upstreams of cofferdam.yaml and start a new task.',
    ],
    [
      'anthropic',
      { boxUpstreams: [], kind: 'setup' },
      'it has none',
      'A setup box reaches package registries and no model.',
    ],
  ])('is refused where the box has no %s, with what to do: %j', async (name, some, has, next) => {
    const { lab, web } = await openProvider(whole(usage), some)
    const reply = await call(lab, message(), [], `/${name}/v1/messages`)
    expect(reply).toMatchObject({
      status: 403,
      body: `This box has no upstream "${name}" (${has}). ${next}\n`,
    })
    expect([lab.last()?.rule, web.seen]).toEqual(['no rule', []])
  })

  it('may be asked for through the proxy, by the address that the gateway has in the box', async () => {
    const { lab } = await openProvider(whole(usage))
    const reply = await call(lab, message(), [], 'http://127.0.0.1:3128/anthropic/v1/messages')
    expect([reply.status, lab.last()?.kind]).toEqual([200, 'upstream'])
  })

  it.each<[string, object]>([
    ['web search', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }],
    [
      'web fetch',
      {
        tools: [
          { type: 'custom', name: 'a' },
          { type: 'web_fetch_20250910', name: 'f' },
        ],
      },
    ],
    ['code at the provider', { tools: [{ type: 'code_execution_20250522', name: 'c' }] }],
    ['a tool that nobody knows', { tools: [{ type: 'telepathy_20300101', name: 't' }] }],
    ['a tool whose type is none', { tools: [{ type: 7, name: 't' }] }],
    ['remote servers', { mcp_servers: [{ type: 'url', url: 'https://evil.test', name: 'e' }] }],
    ['a container', { container: { skills: [] } }],
    ['an image by address', content({ type: 'image', source: { type: 'url', url: 'http://evil.test/?q' } })],
    ['a file of the account', content({ type: 'document', source: { type: 'file', file_id: 'f' } })],
    [
      'an image by address in the result of a tool',
      content({
        type: 'tool_result',
        tool_use_id: 't',
        content: [{ type: 'image', source: { type: 'url', url: 'http://evil.test/' } }],
      }),
    ],
  ])('%s makes the provider reach the network: refused', async (_what, some) => {
    const { lab, web } = await openProvider(whole(usage))
    const reply = await call(lab, message(some))
    expect([reply.status, lab.last()?.rule]).toEqual([400, 'request'])
    expect(reply.body).toContain('the provider would reach the network')
    expect(web.seen).toEqual([])
  })

  it.each<[string, object]>([
    [
      'tools of the box',
      {
        tools: [
          { name: 'a', input_schema: {} },
          { type: 'bash_20250124', name: 'bash' },
        ],
      },
    ],
    ['an image in the call itself', content({ type: 'image', source: { type: 'base64', data: 'AAAA' } })],
    [
      'what only looks like a source, in what a tool was called with',
      {
        messages: [
          { role: 'assistant', content: [{ type: 'tool_use', input: { source: { type: 'url' } } }] },
        ],
      },
    ],
    ['no container and no servers', { container: null, mcp_servers: [] }],
    ['streaming', { stream: true }],
  ])('%s passes', async (_what, some) => {
    const { lab } = await openProvider(whole(usage))
    expect((await call(lab, message(some))).status).toBe(200)
  })

  it.each<[string, string | Buffer, readonly string[], number]>([
    ['no JSON', 'model=m-1', [], 400],
    ['half of it', message().slice(0, -1), [], 400],
    ['two documents', `${message()}${message()}`, [], 400],
    ['no object', '[1]', [], 400],
    ['no model', '{"max_tokens":5}', [], 400],
    ['two models', `{"model":"m-1","max_tokens":5,"model":"m-2"}`, [], 400],
    ['a key twice, escaped', String.raw`{"model":"m-1","max_tokens":5,"max_token\u0073":500000}`, [], 400],
    ['tools twice', '{"model":"m-1","tools":[],"tools":[{"type":"web_search_20250305"}]}', [], 400],
    ['a negative limit', message({ max_tokens: -5 }), [], 400],
    ['a limit that is none', message({ max_tokens: 1.5 }), [], 400],
    ['a limit that is text', message({ max_tokens: '5' }), [], 400],
    ['great depth', message({ a: JSON.parse('['.repeat(100) + ']'.repeat(100)) }), [], 400],
    ['another speed', message({ speed: 'fast' }), [], 400],
    ['a compressed body', gzipSync(message()), ['Content-Encoding: gzip'], 415],
    ['a form', message(), ['Content-Type: multipart/form-data; boundary=x'], 415],
    ['a UTF-16 body', Buffer.from(message(), 'utf16le'), [], 400],
  ])('%s is refused', async (_what, body, headers, status) => {
    const { lab, web } = await openProvider(whole(usage))
    const reply = await lab.ask('POST', '/anthropic/v1/messages', { body, headers })
    expect([reply.status, web.seen, lab.spent]).toEqual([status, [], []])
  })

  it('may be no larger than the limit, alone or together', async () => {
    const limits = { upstreamBodyBytes: 100_000, heldBodyBytes: 150_000 }
    const { lab, web } = await openProvider(whole(usage), { limits })
    const large = (bytes: number): string => message({ messages: 'x'.repeat(bytes) })
    expect((await call(lab, large(100_000))).status).toBe(413)
    expect((await call(lab, large(90_000))).status).toBe(200)
    const waiting = await lab.connect()
    waiting.send(
      `POST /anthropic/v1/messages HTTP/1.1\r\nHost: 127.0.0.1:3128\r\nContent-Length: 99000\r\n\r\n${large(90_000).slice(0, 80_000)}`,
    )
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect((await call(lab, large(90_000))).status).toBe(503)
    // What was held is given back when its sender goes.
    waiting.socket.destroy()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect((await call(lab, large(90_000))).status).toBe(200)
    expect(web.seen.length).toBeGreaterThan(0)
  })

  it('is sent as it came, byte for byte', async () => {
    let got = ''
    const { lab } = await openProvider((_request, response, body) => {
      got = body
      response.end(document(usage))
    })
    const body = `  ${message({ messages: [{ role: 'user', content: 'ä🙂\u2028 \\u0041' }] })}\n`
    await call(lab, body)
    expect(got).toBe(body)
  })
})

describe('the provider’s answer', () => {
  it.each([400, 401, 404, 429, 500, 529])('%i comes as it is, and costs nothing', async (status) => {
    const { lab } = await openProvider((_request, response) => {
      response
        .writeHead(status, { 'retry-after': '3', 'content-type': 'application/json' })
        .end('{"type":"error"}')
    })
    const reply = await call(lab)
    expect([reply.status, reply.body, reply.headers['retry-after']]).toEqual([
      status,
      '{"type":"error"}',
      '3',
    ])
    expect(lab.spent).toEqual([])
    expect(lab.last()).toMatchObject({ verdict: 'allowed' })
  })

  it('is not followed where it leads elsewhere', async () => {
    const { lab, web } = await openProvider((_request, response) => {
      response.writeHead(307, { location: 'http://evil.test/' }).end()
    })
    expect((await call(lab)).status).toBe(307)
    expect([web.seen.length, lab.story.filter((each) => each.startsWith('resolve'))]).toEqual([
      1,
      ['resolve model.test'],
    ])
  })

  it('is stopped where it is compressed, for it cannot be read; what it may have cost is charged', async () => {
    const { lab } = await openProvider((request, response) => {
      expect(request.headers['accept-encoding']).toBe('identity')
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(document(usage)))
    })
    expect((await call(lab, message(), ['Accept-Encoding: gzip'])).status).toBe(502)
    expect(lab.spent[0]?.outputTokens).toBe(50)
  })

  it('sets no cookies', async () => {
    const { lab } = await openProvider((_request, response) => {
      response.writeHead(200, { 'set-cookie': 'a=b' }).end(document(usage))
    })
    expect((await call(lab)).headers['set-cookie']).toBeUndefined()
  })

  it('does not come where nobody is there, and that costs nothing', async () => {
    const { lab } = await openProvider(whole(usage), { far: 1 })
    const reply = await call(lab)
    expect([reply.status, reply.headers['x-should-retry'], lab.spent]).toEqual([502, 'true', []])
    expect(JSON.parse(reply.body)).toMatchObject({ type: 'error', error: { type: 'api_error' } })
    expect(lab.last()).toMatchObject({ verdict: 'failed', rule: 'broken' })
  })

  it('comes over one connection, call after call, and over a new one when that is gone', async () => {
    const { lab, web } = await openProvider((request, response) => {
      if (web.seen.join('').split('POST ').length === 4) setTimeout(() => request.socket.destroy(), 20)
      whole(usage)(request, response, '')
    })
    for (let count = 0; count < 3; count += 1) expect((await call(lab)).status).toBe(200)
    expect(web.seen).toHaveLength(1)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect((await call(lab)).status).toBe(200)
    expect(web.seen).toHaveLength(2)
  })

  it('comes over a new connection where the last one was unused for too long', async () => {
    const { lab, web } = await openProvider(whole(usage), { limits: { keptMs: 50 } })
    expect((await call(lab)).status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect((await call(lab)).status).toBe(200)
    expect(web.seen).toHaveLength(2)
  })
})

describe('a kept connection that breaks without an answer', () => {
  /** Two connections are kept, and each call after that breaks its own, as does a new one where `breaks` says so. */
  async function openBreaking(breaks: (isNew: boolean) => boolean) {
    const used = new Set<unknown>()
    let asked = 0
    const waiting: (() => void)[] = []
    const { lab } = await openProvider((request, response) => {
      asked += 1
      const isNew = !used.has(request.socket)
      used.add(request.socket)
      if (asked <= 2) waiting.push(() => whole(usage)(request, response, ''))
      else if (breaks(isNew)) request.socket.destroy()
      else whole(usage)(request, response, '')
    })
    const both = [call(lab), call(lab)]
    await until(() => waiting.length === 2)
    for (const go of waiting) go()
    await Promise.all(both)
    return { lab, asked: () => asked - 2 }
  }

  it.each<[string, (isNew: boolean) => boolean, number]>([
    ['is sent once more, over a new one', (isNew) => !isNew, 200],
    ['and no more than once', () => true, 502],
  ])('what costs nothing %s', async (_what, breaks, status) => {
    const { lab, asked } = await openBreaking(breaks)
    const reply = await lab.ask('GET', '/anthropic/v1/models')
    expect([reply.status, asked()]).toEqual([status, 2])
  })

  it('what is paid is not sent again by the gateway, and whoever asked is told that it may be', async () => {
    const { lab, asked } = await openBreaking((isNew) => !isNew)
    const spent = lab.spent.length
    const reply = await call(lab)
    expect([reply.status, reply.headers['x-should-retry'], asked()]).toEqual([502, 'true', 1])
    expect([lab.last()?.rule, lab.spent.length]).toEqual(['broken', spent])
  })
})

it('prices are those of the longest name that fits', async () => {
  const { lab } = await openProvider(whole(usage), {
    prices: { ...prices, 'm-*': { input: 1, output: 1, cacheRead: 1, cacheWrite: 1 } },
    left: { tokens: null, costUsd: 100 },
  })
  await call(lab, message({ model: 'm-1' }))
  await call(lab, message({ model: 'm-12' }))
  expect(lab.spent.map(({ costUsd }) => costUsd)).toEqual([0.2, 0.000_15])
})

function content(block: object): object {
  return { messages: [{ role: 'user', content: [block] }] }
}
