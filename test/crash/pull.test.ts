import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Client, createClient } from '../../src/client/client.ts'
import { socketFetch, Unreachable } from '../../src/client/fetch.ts'
import { thisProcess } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { isAtRest, type Task } from '../../src/domain/task.ts'
import { forgeToken, type TestForge, testForge } from '../support/forge.ts'
import { needEngine } from '../support/needs.ts'
import { requestOf, sh } from '../support/plane.ts'
import { keepPosture, lendPosture } from '../support/posture.ts'
import { aRepository, git } from '../support/repository.ts'
import { removeAll } from '../support/template.ts'

// The built program, in a process of its own, killed with SIGKILL, with a forge that outlives it.
const program = join(import.meta.dirname, '../../dist/src/cli/main.js')

let folder: string
let data: string
let repo: string
let bare: string
let forge: TestForge
let client: Client
let server: ChildProcess

beforeEach(async () => {
  await needEngine()
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-pull-'))
  data = join(folder, 'data')
  repo = aRepository({ 'a.txt': 'one\n' })
  bare = join(folder, 'ada', 'tools.git')
  mkdirSync(join(folder, 'ada'))
  git(folder, 'clone', '-q', '--bare', repo, bare)
  forge = await testForge('gitlab', folder)
  writeFileSync(join(folder, 'token'), `${forgeToken}\n`)
  const yaml = {
    repositories: {
      [repo]: {
        delivery: {
          way: 'pull-request',
          remote: forge.remote('ada/tools.git'),
          forge: {
            kind: 'gitlab',
            address: forge.address,
            project: 'ada/tools',
            token: { file: 'token' },
            network: 'loopback',
          },
        },
      },
    },
  }
  writeFileSync(join(folder, 'cofferdam.yaml'), JSON.stringify(yaml))
  const config = loadConfig({ data, config: join(folder, 'cofferdam.yaml') }, thisProcess())
  client = createClient(socketFetch(config.controlSocket))
  await lendPosture(config.dataFolder)
  await serve()
})

afterEach(async () => {
  await kill()
  await forge[Symbol.asyncDispose]()
  keepPosture(data)
  removeAll(folder)
})

async function serve(): Promise<void> {
  const args = [program, 'serve', '--data', data, '--config', join(folder, 'cofferdam.yaml')]
  server = spawn(process.execPath, args, { stdio: 'ignore' })
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(50)) {
    const up = await client.ping().then(
      () => true,
      () => false,
    )
    if (up) return
  }
  throw new Error('the server did not come up')
}

async function kill(): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = new Promise((resolve) => server.once('exit', resolve))
  server.kill('SIGKILL')
  await ended
}

async function until(id: TaskId, condition: (task: Task) => boolean): Promise<Task> {
  for (const end = Date.now() + 90_000; Date.now() < end; await sleep(20)) {
    try {
      const task = await client.task(id)
      if (condition(task)) return task
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
    }
  }
  throw new Error((await client.events(id, 0)).map(({ type, text }) => `${type} ${text}`).join('\n'))
}

it('a process that is killed between push and opening, and in the middle of opening, leaves one pull request', async () => {
  const { task: asked } = await client.submit(requestOf({ repo, argv: sh('echo new >new.txt') }))
  if (asked.status === 'DRAFT') await client.act(asked.id, { act: 'approve' })
  const task = await until(asked.id, (each) => each.status === 'APPLIED' && each.phase === null)
  const kills: string[] = []
  forge.instead = ({ method, path, body }, response) => {
    if (path.startsWith('/git/')) return false
    const first = kills.length === 0
    if (!first && (method !== 'POST' || kills.length > 1)) return false
    kills.push(first ? 'pushed' : 'opened')
    // The second time it is opened, and nobody is left to hear of it.
    if (!first)
      forge.pulls.push({
        number: 1,
        branch: String(body?.['source_branch']),
        into: String(body?.['target_branch']),
        title: String(body?.['title']),
        body: '',
        draft: true,
        state: 'open',
      })
    void kill().then(() => {
      response.destroy()
      return serve()
    })
    return true
  }
  await client.act(task.id, { act: 'pull-request', into: null, draft: null, accept: [] })
  const open = await until(task.id, (each) => each.delivery === 'pr_open')
  expect([kills, open.pull?.number, forge.pulls.length]).toEqual([['pushed', 'opened'], 1, 1])
  expect(git(bare, 'rev-parse', task.branch).trim()).toBe(task.head)
  const types = (await client.events(task.id, task.version)).map(({ type }) => type)
  expect(types).toEqual(['pull_decided', 'pull_pushed', 'pull_opened'])

  // The next process looks at once what has become of it.
  await kill()
  if (forge.pulls[0] !== undefined) forge.pulls[0].state = 'merged'
  await serve()
  const merged = await until(task.id, (each) => each.delivery === 'pr_merged' && isAtRest(each))
  expect(merged.pull?.said).toBe('!1 of ada/tools is merged into main there.')
  expect(await client.verify(task.id, [])).toMatchObject({ holds: true, findings: [] })
})
