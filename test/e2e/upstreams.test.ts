import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { finish } from '../support/model/script.ts'
import { type Model, openModel } from '../support/model/server.ts'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'

// Boxes that talk to a scripted model as to each provider, streamed, through the gateway.

const key = `sk-${randomBytes(24).toString('hex')}`
const tokens = { input: 70, cached: 20, cacheWrite: 0, output: 40, reasoning: 20 }
const user = '[{"role":"user","content":"Hi"}]'
const chat = `{"model":"m-1","stream":true,"max_tokens":1,"messages":${user}}`

/** Path in the box and body of one call, by upstream. */
const calls: Readonly<Record<string, readonly [path: string, body: string]>> = {
  anthropic: ['/v1/messages', chat],
  openai: ['/v1/responses', `{"model":"m-1","stream":true,"max_output_tokens":1,"input":${user}}`],
  gemini: [
    '/v1beta/models/m-1:streamGenerateContent?alt=sse&key=placeholder',
    '{"contents":[{"role":"user","parts":[{"text":"Hi"}]}],"generationConfig":{"maxOutputTokens":1}}',
  ],
  'openai-compatible': ['/v1/chat/completions', chat],
}

let model: Model
let plane: TestPlane

beforeAll(async () => {
  model = await openModel({ script: () => ({ ...finish(), tokens }), fault: () => ({ kind: 'echo' }) })
  process.env['TEST_MODEL_KEY'] = key
  const upstreams = Object.keys(calls).map(
    (name) => `  ${name}: { key: { env: TEST_MODEL_KEY }, origin: '${model.origin}' }`,
  )
  plane = await openTestPlane(
    [
      'upstreams:',
      ...upstreams,
      `prices: { asOf: '2026-01-31', models: { 'm-*': { input: 1000, output: 2000, cacheRead: 100 } } }`,
    ].join('\n'),
  )
})
afterAll(async () => {
  await plane.close()
  await model[Symbol.asyncDispose]()
  delete process.env['TEST_MODEL_KEY']
})

const ask = (upstream: string): string => {
  const [path = '', body = ''] = calls[upstream] ?? []
  return `curl -sS --fail-with-body -m 20 -H 'content-type: application/json' -H 'authorization: Bearer placeholder' \
    --data-binary '${body}' 'http://127.0.0.1:3128/${upstream}${path}'`
}

/** One goes the whole way, and one has its key in the address; agents/ asks the others through their agents' own programs. */
const whole = new Set(['anthropic', 'gemini'])

describe.each(Object.keys(calls))('%s', (upstream) => {
  const again = { tags: whole.has(upstream) ? [] : ['long'] }
  // How a budget ends a step knows nothing of whose tokens they are.
  const budget = { tags: upstream === 'anthropic' ? [] : ['long'] }
  it(
    'B28 the key is added outside the box and is nowhere in it; what is charged is what the model sent',
    again,
    async () => {
      const repo = aRepository()
      const before = model.sums()
      const task = await plane.run({
        repo,
        upstreams: [upstream],
        yes: true,
        argv: sh(`set -e
        ${ask(upstream)} >answer.txt
        { env; cat /proc/*/environ /proc/*/cmdline; } >seen.txt 2>/dev/null || true
        cat answer.txt`),
      })
      expect(task.status).toBe('APPLIED')
      const [had] = model.had.slice(-1)
      expect(JSON.stringify(had?.headers)).toContain(key)
      expect(`${had?.path} ${JSON.stringify(had?.headers)}`).not.toContain('placeholder')
      const now = model.sums()
      expect(now.inputTokens - before.inputTokens + now.outputTokens - before.outputTokens).toBe(150)
      expect(task.spent.tokens).toBe(150)
      expect(task.spent.costUsd).toBeCloseTo((70 * 1000 + 20 * 100 + 60 * 2000) / 1e6, 9)
      // The model said the key: what came back had it taken out.
      const answer = git(repo, 'show', `${task.branch}:answer.txt`)
      expect(answer).toContain('TASK')
      expect(answer).not.toContain(key)
      const folder = dirname(plane.config.dataFolder)
      const found = execFileSync('sh', ['-c', 'grep -rlaF -e "$1" "$2" "$3" || true', '-', key, folder, repo])
      expect(found.toString()).toBe('')
    },
  )

  it(
    'B29 a budget of tokens that is reached in the middle of a step ends it, and keeps its work',
    budget,
    async () => {
      const before = model.had.length
      const task = await plane.run({
        repo: aRepository(),
        upstreams: [upstream],
        yes: true,
        tokens: 400,
        argv: sh(
          `for i in 1 2 3 4 5 6; do echo "$i" >work.txt; ${ask(upstream)} || echo refused; done; sleep 60`,
        ),
      })
      expect([task.status, task.halt?.reason]).toEqual(['TIMEOUT', 'tokens'])
      // The third still began within the limit.
      expect(model.had.length - before).toBe(3)
      const [last] = (await plane.client.checkpoints(task.id)).toReversed()
      expect([last?.state, last?.candidate?.stat.files]).toEqual(['partial', 1])
    },
  )
})
