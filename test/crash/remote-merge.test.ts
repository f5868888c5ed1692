import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Client, createClient } from '../../src/client/client.ts'
import { socketFetch, Unreachable } from '../../src/client/fetch.ts'
import { thisProcess } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Task } from '../../src/domain/task.ts'
import { needEngine } from '../support/needs.ts'
import { requestOf, sh } from '../support/plane.ts'
import { keepPosture, lendPosture } from '../support/posture.ts'
import { aRepository, git } from '../support/repository.ts'
import { removeAll } from '../support/template.ts'

// The built program, in a process of its own, killed with SIGKILL by the remote that it pushes to.
const program = join(import.meta.dirname, '../../dist/src/cli/main.js')

let folder: string
let data: string
let far: string
let client: Client
let server: ChildProcess

beforeEach(async () => {
  await needEngine()
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-far-'))
  data = join(folder, 'data')
  far = join(folder, 'shop.git')
  git(folder, 'clone', '-q', '--bare', aRepository({ 'a.txt': 'one\n' }), far)
  const yaml = { repositories: { shop: { url: `file://${far}` } } }
  writeFileSync(join(folder, 'cofferdam.yaml'), JSON.stringify(yaml))
  const config = loadConfig({ data, config: join(folder, 'cofferdam.yaml') }, thisProcess())
  client = createClient(socketFetch(config.controlSocket))
  await lendPosture(config.dataFolder)
  await serve()
})

afterEach(async () => {
  await ended(() => server.kill('SIGKILL'))
  keepPosture(data)
  removeAll(folder)
})

async function serve(): Promise<void> {
  const args = [program, 'serve', '--data', data, '--config', join(folder, 'cofferdam.yaml')]
  server = spawn(process.execPath, args, { stdio: 'ignore' })
  writeFileSync(join(folder, 'pid'), String(server.pid))
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(50)) {
    const up = await client.ping().then(
      () => true,
      () => false,
    )
    if (up) return
  }
  throw new Error('the server did not come up')
}

async function ended(kill: () => unknown = () => undefined): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const exit = new Promise((resolve) => server.once('exit', resolve))
  kill()
  await exit
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

/** The remote ends whoever pushes, once. */
function killBy(hook: 'pre-receive' | 'post-receive', exit: number): void {
  const file = join(far, 'hooks', hook)
  writeFileSync(
    file,
    `#!/bin/sh\nif mkdir ${folder}/killed 2>/dev/null; then kill -9 "$(cat ${folder}/pid)"; exit ${exit}; fi\n`,
  )
  chmodSync(file, 0o755)
}

const name = 'a process that is killed %s leaves one merge to the next'
it.each([
  ['before the remote has taken the push, which comes to its end without it', 'pre-receive', 0],
  ['after the remote has moved its branch, and before that is on record', 'post-receive', 0],
] as const)(name, leavesOneMerge)
// That a remote refuses a push, test/worktree/remote-merge.test.ts has too.
it.each([['before the remote has taken the push, which it refuses then', 'pre-receive', 1]] as const)(
  name,
  { tags: ['long'] },
  leavesOneMerge,
)

async function leavesOneMerge(_: string, hook: 'pre-receive' | 'post-receive', exit: number): Promise<void> {
  const request = requestOf({ repo: 'shop', argv: sh('echo new >new.txt') })
  const { task: asked } = await client.submit(request)
  if (asked.status === 'DRAFT') await client.act(asked.id, { act: 'approve' })
  const task = await until(asked.id, (each) => each.status === 'APPLIED' && each.phase === null)
  const before = git(far, 'rev-parse', 'main').trim()
  killBy(hook, exit)
  await client.act(task.id, { act: 'merge', into: null, how: null, accept: [] })
  await ended()
  expect([server.signalCode, existsSync(join(folder, 'killed'))]).toEqual(['SIGKILL', true])
  await serve()
  const merged = await until(task.id, (each) => each.delivery !== 'delivering')
  expect([merged.delivery, merged.merge?.from]).toEqual(['merged', before])
  expect(git(far, 'rev-parse', 'main').trim()).toBe(merged.merge?.commit)
  expect(git(far, 'log', '--merges', '--format=%s', 'main').trim()).toBe(`Merge ${task.branch} into main`)
  const types = (await client.events(task.id, task.version)).map(({ type }) => type)
  expect(types).toEqual(['merge_decided', 'merge_advanced', 'merged'])
  expect(await client.verify(task.id, [])).toMatchObject({ holds: true, findings: [] })
}
