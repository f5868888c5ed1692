import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { ImageAgent } from '../../../src/domain/image.ts'
import { gatewayAddress } from '../../../src/domain/egress.ts'
import { sandboxImage } from '../../support/docker.ts'
import { finish, run, turn, write } from '../../support/model/script.ts'
import { openModel } from '../../support/model/server.ts'
import { openTestPlane, sh } from '../../support/plane.ts'
import { aRepository, git } from '../../support/repository.ts'

// Each agent's program as its image has it, in a box, through the gateway, against a scripted model: it starts without a
// network card, takes the gateway for its provider, and works. No adapter is between them: a command starts it.

interface Started {
  readonly agent: ImageAgent
  readonly upstream: 'anthropic' | 'openai' | 'openai-compatible' | 'gemini'
  /** Files in the home folder, by their path there. */
  readonly files?: Readonly<Record<string, object>>
  readonly env?: Readonly<Record<string, string>>
  readonly command: string
}

const at = (upstream: string): string => `http://${gatewayAddress}/${upstream}`
const limit = { context: 200_000, output: 8192 }

const programs: readonly Started[] = [
  {
    agent: 'codex',
    upstream: 'openai',
    env: { MODEL_KEY: 'placeholder' },
    command:
      'codex exec --json --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox -m m-1 -c model_provider=box ' +
      `-c 'model_providers.box={name="box",base_url="${at('openai')}/v1",env_key="MODEL_KEY",wire_api="responses"}' ` +
      `-c 'web_search="disabled"' -`,
  },
  {
    agent: 'gemini',
    upstream: 'gemini',
    files: { '.gemini/settings.json': { security: { auth: { selectedType: 'gemini-api-key' } } } },
    env: {
      GEMINI_API_KEY: 'placeholder',
      GOOGLE_GEMINI_BASE_URL: at('gemini'),
      GEMINI_CLI_TRUST_WORKSPACE: 'true',
    },
    command: 'gemini --output-format stream-json --approval-mode yolo --model gemini-2.5-pro',
  },
  {
    agent: 'opencode',
    upstream: 'openai-compatible',
    files: {
      '.config/opencode/opencode.json': {
        autoupdate: false,
        share: 'disabled',
        model: 'box/m-1',
        small_model: 'box/m-1',
        permission: { '*': 'allow' },
        provider: {
          box: {
            npm: '@ai-sdk/openai-compatible',
            options: { baseURL: `${at('openai-compatible')}/v1`, apiKey: 'placeholder' },
            models: { 'm-1': { limit } },
          },
        },
      },
    },
    env: { OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1' },
    command: 'opencode run --format json',
  },
  {
    agent: 'pi',
    upstream: 'anthropic',
    files: {
      '.pi/agent/models.json': {
        providers: {
          box: {
            baseUrl: at('anthropic'),
            api: 'anthropic-messages',
            apiKey: 'placeholder',
            models: [{ id: 'm-1', contextWindow: limit.context, maxTokens: limit.output }],
          },
        },
      },
    },
    env: { PI_OFFLINE: '1' },
    command: 'pi --mode json --print --provider box --model m-1',
  },
]

describe.each(programs)('the program $agent', ({ agent, upstream, files = {}, env = {}, command }) => {
  const key = `sk-${randomBytes(24).toString('hex')}`
  beforeEach(() => {
    process.env['TEST_MODEL_KEY'] = key
  })
  afterEach(() => {
    delete process.env['TEST_MODEL_KEY']
  })

  it('B28 works in a box without network and key, and is counted to the token', async () => {
    const image = await sandboxImage([agent])
    const model = await openModel({
      script: [
        turn(run('echo whole >answer.txt; env >>answer.txt')),
        turn(write('/work/b.txt', 'b\n')),
        finish(),
      ],
    })
    onTestFinished(() => model[Symbol.asyncDispose]())
    const plane = await openTestPlane(
      `engine: { image: '${image}' }\n` +
        `upstreams: { ${upstream}: { key: { env: TEST_MODEL_KEY }, origin: '${model.origin}' } }`,
    )
    onTestFinished(() => plane.close())
    const repo = aRepository({ 'answer.txt': 'none\n' })
    const script = [
      ...Object.entries(files).map(
        ([path, content]) =>
          `mkdir -p "$(dirname ~/${path})" && echo '${JSON.stringify(content)}' >~/${path}`,
      ),
      ...Object.entries(env).map(([name, value]) => `export ${name}=${value}`),
      `exec ${command}`,
    ].join('\n')
    const done = await plane.run({
      repo,
      argv: sh(script),
      test: 'grep -q whole answer.txt && test -e b.txt',
      upstreams: [upstream],
      yes: true,
      steps: 1,
    })
    const printed = await plane.client.logs(done.id, null)
    expect([done.status, done.halt, printed]).toEqual([
      'APPLIED',
      null,
      expect.stringContaining('TASK_STATE'),
    ])

    expect(`${git(repo, 'show', `cofferdam/${done.id}:answer.txt`)}${printed}`).not.toContain(key)
    expect(model.had.filter(({ headers }) => JSON.stringify(headers).includes(key))).toHaveLength(
      model.had.length,
    )
    const { inputTokens, outputTokens } = model.sums()
    expect(done.spent.tokens).toBe(inputTokens + outputTokens)
  })
})
