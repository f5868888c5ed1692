import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { thisProcess } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config/load.ts'
import { sandboxImage } from '../support/docker.ts'
import { receipts } from '../support/model/receipts.ts'
import { type Model, openModel } from '../support/model/server.ts'
import { git } from '../support/repository.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
let home: string
let example: string
let model: Model

// What was built is run here, as the quickstart does. What does not compile is another check's matter.
beforeAll(async () => {
  spawnSync('bash', ['-c', 'source deploy/setup.sh && build_sources'], { cwd: root })
  for (const agent of ['pi', 'claude'] as const) await sandboxImage([agent])
  model = await openModel({ script: receipts })
})
afterAll(() => model[Symbol.asyncDispose]())
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'cofferdam-first-'))
  example = join(home, 'example')
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const places = (): Readonly<Record<string, string>> => ({
  HOME: home,
  COFFERDAM_DATA: join(home, 'data'),
  COFFERDAM_RUNTIME: join(home, 'run'),
})

async function firstTask(env: Readonly<Record<string, string>> = {}) {
  const child = spawn('bash', ['deploy/first-task.sh', example], {
    cwd: root,
    env: { PATH: process.env['PATH'], ...places(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close') as Promise<[number | null]>
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { status, stdout, stderr }
}

function appliedIn(branch: string): void {
  expect(git(example, 'rev-list', '--count', `main..${branch}`).trim()).toBe('2')
  expect(git(example, 'diff', '--name-only', `main...${branch}`).trim()).toBe('receipt.py')
}
const branches = (): readonly string[] =>
  git(example, 'branch', '--list', 'cofferdam/*', '--format=%(refname)').trim().split('\n')

it('the first task is applied in two steps, by pi with a model server of the user’s own in the usual data folder, and again on the next run by the quickstart’s script, until its work is merged', async () => {
  // The second time the installation is in use.
  const config = join(home, '.config', 'cofferdam')
  for (const tasks of [1, 2]) {
    if (tasks === 2) {
      mkdirSync(config, { recursive: true })
      writeFileSync(join(config, 'cofferdam.yaml'), 'keep: { worktrees: never }\ntask: { cost: 5 }\n')
    }
    const before = model.had.length
    const own = { OPENAI_COMPATIBLE_ORIGIN: `${model.origin}/v1`, OPENAI_COMPATIBLE_MODEL: 'm-1' }
    const { status, stdout, stderr } = await firstTask(tasks === 1 ? own : {})
    expect(`${stdout}${stderr}`).not.toContain('was not applied')
    expect(status).toBe(0)
    expect(stdout).toMatch(
      tasks === 1 ? /The model is m-1\./ : /THE MODEL IS NOT: ITS ANSWERS ARE SCRIPTED\./,
    )
    expect(stdout).toMatch(/» bash cat receipt\.py/)
    const asked = new Set(model.had.slice(before).map(({ conversation }) => conversation.model))
    expect(asked).toEqual(new Set(tasks === 1 ? ['m-1'] : []))
    expect(readdirSync(join(home, 'data'))).toContain('cofferdam.db')
    expect(stdout).toMatch(/AssertionError: 474 != 475[^]*Step 2\/8[^]*APPLIED/)
    expect(stdout).toMatch(/^\+ {4}for cents, count in lines:$/m)

    // What a person has checked out is as it was; the work is on the branch.
    expect(git(example, 'status', '--porcelain', '--branch').trim()).toBe('## main')
    expect(branches()).toHaveLength(tasks)
    branches().forEach(appliedIn)
    if (tasks === 2) expect(readdirSync(config)).toEqual(['cofferdam.yaml'])
    if (tasks === 2) git(example, 'merge', '--quiet', '--ff-only', branches()[0] ?? '')
  }
  const { status, stdout } = await firstTask()
  expect([status, stdout]).toEqual([0, expect.stringContaining(`For another go: rm -r ${example}`)])
})

it('B28 with a key in the environment it is that provider’s agent, and the key is nowhere in what is left', async () => {
  const key = 'sk-of-the-first-task-0123456789'
  const config = join(home, 'cofferdam.yaml')
  writeFileSync(config, `upstreams: { anthropic: { origin: '${model.origin}' } }\n`)
  const before = model.had.length
  const { status, stdout } = await firstTask({ ANTHROPIC_API_KEY: key, COFFERDAM_CONFIG: config })
  expect([status, stdout]).toEqual([0, expect.stringMatching(/--agent claude --tokens 500000[^]*APPLIED/)])
  branches().forEach(appliedIn)
  const had = model.had.slice(before)
  expect(had.length).toBeGreaterThan(5)
  expect(had.filter(({ headers }) => headers['x-api-key'] !== key)).toEqual([])
  const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const holding = files
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => readFileSync(file).includes(key))
  expect([holding, files.length > 20]).toEqual([[], true])
})

// Not by a call that waits: this process is the one that works on the folder.
async function configured(env: Readonly<Record<string, string | undefined>>) {
  const argv = ['deploy/first-config.mjs', 'http://127.0.0.1:1', 'm-1', home]
  const child = spawn('node', argv, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close') as Promise<[number | null]>
  return { said: await text(child.stdout), status: (await ended)[0] }
}

it('a process that works on the data folder has a configuration of its own, which is not told of the model', async () => {
  const env = { ...thisProcess().env, ...places() }
  const { controlSocket } = loadConfig({}, { ...thisProcess(), env, home })
  const alone = await configured(env)
  const { data, agents } = JSON.parse(readFileSync(alone.said.trim(), 'utf8')) as Record<string, unknown>
  expect([data, agents]).toEqual([
    join(home, 'data'),
    { pi: { upstream: 'openai-compatible', model: 'm-1' } },
  ])
  mkdirSync(dirname(controlSocket), { recursive: true })
  const server = createServer()
  await new Promise<void>((done) => server.listen(controlSocket, done))
  expect(await configured(env)).toEqual({ said: '', status: 3 })
  await new Promise((done) => server.close(done))
})

it('the configuration of an installation in use holds for the first task too, but for the model and what that costs', async () => {
  const folder = join(home, 'etc')
  mkdirSync(folder)
  writeFileSync(join(folder, 'token'), 'token-0123456789')
  const file = join(folder, 'cofferdam.yaml')
  writeFileSync(
    file,
    `keep: { worktrees: never, output: 3, undelivered: 9, audit: never }
author: { name: Ada }
attestation: { key: attestation.pem }
secrets: { deploy: { file: token } }
webhooks: { ci: { url: 'https://hooks.example.com/', secret: { file: hook }, events: [task.applied] } }
policy: { deny: [payroll/] }
task: { steps: 5, cost: 2, agent: { name: claude } }
agents: { claude: { model: m-0 }, pi: { upstream: anthropic } }
upstreams: { anthropic: { key: { file: token } }, openai-compatible: { origin: 'http://127.0.0.1:9', key: { file: token } } }
repositories: { example: { test: make } }
`,
  )
  writeFileSync(join(folder, 'hook'), `whsec_${Buffer.alloc(32, 7).toString('base64')}`)
  const env = { ...thisProcess().env, ...places(), COFFERDAM_CONFIG: file }
  const { said, status } = await configured(env)
  const place = said.trim()
  expect([status, dirname(place), statSync(place).mode & 0o777]).toEqual([0, folder, 0o600])
  const around = { ...thisProcess(), env, home }
  const usual = loadConfig({}, around)
  const keyFrom = 'the environment variable OPENAI_COMPATIBLE_API_KEY'
  expect(loadConfig({ config: place }, around)).toEqual({
    ...usual,
    file: place,
    agents: { ...usual.agents, pi: { upstream: 'openai-compatible', model: 'm-1' } },
    tasks: { ...usual.tasks, budget: { ...usual.tasks.budget, costUsd: null } },
    upstreams: {
      ...usual.upstreams,
      'openai-compatible': { origin: 'http://127.0.0.1:1', key: null, keyFrom },
    },
    secrets: usual.secrets.filter(({ name }) => name !== 'openai-compatible key'),
  })
})
