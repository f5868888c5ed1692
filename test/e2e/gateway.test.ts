import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'

// A provider of models on loopback, and agents that talk to it through the gateway, in boxes that have no other way.

const key = `sk-${randomBytes(24).toString('hex')}`
const token = `tok-${randomBytes(16).toString('hex')}`

interface Call {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

let calls: Call[] = []
let provider: Server
let plane: TestPlane

beforeAll(async () => {
  provider = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (part: string) => (body += part))
    request.on('end', () => {
      calls.push({ path: request.url ?? '', headers: request.headers, body })
      if (body.includes('m-away')) return void response.writeHead(529).end()
      const usage = { input_tokens: 100, output_tokens: 50 }
      response.setHeader('content-type', 'application/json')
      const content = [
        { type: 'text', text: `call ${calls.length}, you sent ${String(request.headers['x-api-key'])}` },
      ]
      response.end(
        JSON.stringify({ id: 'msg', type: 'message', role: 'assistant', model: 'm-1', content, usage }),
      )
    })
  })
  await new Promise<void>((resolve) => {
    provider.listen(0, '127.0.0.1', resolve)
  })
  const { port } = provider.address() as AddressInfo
  process.env['TEST_MODEL_KEY'] = key
  process.env['TEST_TOKEN'] = token
  plane = await openTestPlane(
    [
      `upstreams: { anthropic: { key: { env: TEST_MODEL_KEY }, origin: 'http://127.0.0.1:${port}' } }`,
      'secrets: { deploy-token: { env: TEST_TOKEN } }',
      `prices: { asOf: '2026-01-31', models: { 'm-*': { input: 1000, output: 2000 } } }`,
    ].join('\n'),
  )
})
afterAll(async () => {
  await plane.close()
  provider.close()
  delete process.env['TEST_MODEL_KEY']
  delete process.env['TEST_TOKEN']
})
beforeEach(() => {
  calls = []
})

/** A line of shell that asks the model once; its answer goes to standard output. Fails where it is refused. */
const ask = (prompt = 'hello', { most = 10, model = 'm-1' } = {}): string =>
  `printf '{"model":"%s","max_tokens":%d,"messages":[{"role":"user","content":"%s"}]}' ${model} ${most} "${prompt}" |
    curl -sS --fail-with-body -m 20 -H 'content-type: application/json' -H 'x-api-key: placeholder' \
      --data-binary @- http://127.0.0.1:3128/anthropic/v1/messages`

const texts = async (id: Parameters<TestPlane['client']['events']>[0]): Promise<string> =>
  (await plane.client.events(id, 0)).map(({ to, text }) => `${to} ${text}`).join('\n')

describe('B28 a model’s key', () => {
  it('is added outside the box, and is nowhere in it, in the work or in what is kept', async () => {
    const repo = aRepository()
    const task = await plane.run({
      repo,
      upstreams: ['anthropic'],
      yes: true,
      argv: sh(`set -e
        ${ask()} >answer.json
        cat answer.json
        { env; cat /proc/*/environ /proc/*/cmdline; } >seen.txt 2>/dev/null || true
        ${ask('again')} >/dev/null`),
    })
    expect([task.status, await texts(task.id)]).toEqual(['APPLIED', expect.any(String)])
    expect(calls.map(({ path, headers }) => [path, headers['x-api-key']])).toEqual([
      ['/v1/messages', key],
      ['/v1/messages', key],
    ])
    expect(task.spent).toMatchObject({ tokens: 300, costUsd: 0.4 })
    // The provider echoed it: what came back had it taken out.
    expect(git(repo, 'show', `${task.branch}:answer.json`)).toContain(
      'call 1, you sent [redacted:anthropic key]',
    )
    const folder = dirname(plane.config.dataFolder)
    const holding = (text: string): string =>
      execFileSync('sh', ['-c', 'grep -rlaF -e "$1" "$2" "$3" || true', '-', text, folder, repo], {
        encoding: 'utf8',
      })
    expect(holding('call 1, you sent')).toContain('cofferdam.db')
    expect(holding(key)).toBe('')
    expect(git(repo, 'show', `${task.branch}:seen.txt`)).toContain('HTTPS_PROXY')
    expect(git(repo, 'show', `${task.branch}:seen.txt`)).not.toContain(key)
  })

  it('and every other known secret is kept from going out, and taken out of what is printed', async () => {
    const repo = aRepository({ 'token.txt': token })
    const task = await plane.run({
      repo,
      upstreams: ['anthropic'],
      yes: true,
      argv: sh(`cat token.txt; ${ask('$(cat token.txt)')} || true`),
    })
    expect(calls.filter(({ body }) => body.includes(token))).toEqual([])
    const told = await texts(task.id)
    expect(told).toContain('The secret deploy-token (raw) was found in a request, which was blocked.')
    expect(told).toContain('The secret deploy-token (raw) was found in the output, and taken out.')
    const output = await plane.client.logs(task.id, null)
    expect(output).toContain('[redacted:deploy-token]')
    expect(output).not.toContain(token)
  })
})

describe('B29 a budget for models that is reached in the middle of a step', () => {
  it.each<['tokens' | 'cost', { tokens: number } | { cost: number }]>([
    ['tokens', { tokens: 400 }],
    ['cost', { cost: 0.5 }],
  ])('%s: the next call is refused, the step ends, and its work is kept', async (reason, budget) => {
    const repo = aRepository()
    const began = Date.now()
    const task = await plane.run({
      repo,
      upstreams: ['anthropic'],
      yes: true,
      ...budget,
      argv: sh(`for i in 1 2 3 4 5 6 7 8; do
          echo "$i" >work.txt
          ${ask('hello', { most: 1 })} || echo refused
        done
        sleep 60`),
    })
    expect([task.status, task.halt?.reason]).toEqual(['TIMEOUT', reason])
    // 150 tokens and 0.20 USD each: the third still began within the limit.
    expect(calls.length).toBe(3)
    expect(Date.now() - began).toBeLessThan(45_000)
    expect(git(repo, 'cat-file', '-t', 'HEAD').trim()).toBe('commit')
    const [last] = (await plane.client.checkpoints(task.id)).toReversed()
    expect([last?.state, last?.candidate?.stat.files]).toEqual(['partial', 1])
  })

  it('a model without a price is refused where cost is limited, and used where it is not', async () => {
    const repo = aRepository()
    const asking = sh(`${ask('hello', { model: 'other-1' })} >answer.json`)
    const limited = await plane.run({
      repo,
      upstreams: ['anthropic'],
      yes: true,
      cost: 1,
      steps: 1,
      argv: asking,
    })
    expect([limited.status, limited.halt?.reason, calls.length]).toEqual(['TIMEOUT', 'steps', 0])
    expect(await texts(limited.id)).toMatch(/other-1/)
    const free = await plane.run({ repo, upstreams: ['anthropic'], yes: true, argv: asking })
    expect([free.status, calls.length]).toEqual(['APPLIED', 1])
  })
})

it('a provider that turns call after call away ends the box of an agent that would go on for ever', async () => {
  const { id } = await plane.submit({
    repo: aRepository(),
    upstreams: ['anthropic'],
    yes: true,
    argv: sh(`while :; do ${ask('hello', { model: 'm-away' })} || sleep 0.1; done`),
  })
  await plane.until(id, ({ losses }) => losses > 0)
  expect(await texts(id)).toContain(
    'The provider anthropic is overloaded or down. It turned 6 calls in a row away, the last with status 529, so the box was ended. It is tried again in 15 seconds.',
  )
  const [row] = await plane.client.checkpoints(id)
  expect([row?.state, row?.agent?.error, row?.boxes[0]?.end]).toEqual(['dropped', 'overload', 'killed'])
  await plane.client.act(id, { act: 'stop', text: null })
  expect([(await plane.settled(id)).spent.steps, calls.length]).toEqual([0, 6])
})

describe('what nobody has allowed', () => {
  it('is refused, and people are told host, rule and how to allow it', async () => {
    const repo = aRepository()
    const task = await plane.run({
      repo,
      egress: ['allowed.example.test'],
      yes: true,
      argv: sh('curl -sS -m 10 https://denied.example.test/ || echo no >seen.txt'),
    })
    expect(task.status).toBe('APPLIED')
    const told = await texts(task.id)
    expect(told).toMatch(/denied\.example\.test/)
    expect(told).toMatch(/egress/)
    const [row] = await plane.client.egress(task.id, {})
    expect(row).toMatchObject({ kind: 'tunnel', host: 'denied.example.test', port: 443, verdict: 'denied' })
  })

  it('has no channel where the policy names nothing', async () => {
    const repo = aRepository()
    const task = await plane.run({
      repo,
      argv: sh('ls /cofferdam >seen.txt; curl -sS -m 5 http://127.0.0.1:3128/ >>seen.txt 2>&1 || true'),
    })
    const seen = git(repo, 'show', `${task.branch}:seen.txt`)
    expect(seen).not.toContain('channel')
    expect(seen).toMatch(/refused|connect/i)
  })
})

it('an upstream without a key is refused at submission, in a sentence', async () => {
  const repo = aRepository()
  const bare = await openTestPlane()
  try {
    await expect(bare.submit({ repo, upstreams: ['nobody'], argv: sh('true') })).rejects.toThrow(
      /There is no upstream "nobody": choose of anthropic/,
    )
  } finally {
    await bare.close()
  }
})
