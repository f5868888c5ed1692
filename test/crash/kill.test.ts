import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { leftOnEngine } from '../attack/host.ts'
import { type Client, createClient } from '../../src/client/client.ts'
import { socketFetch, Unreachable } from '../../src/client/fetch.ts'
import { thisProcess } from '../../src/config/environment.ts'
import { type Config, loadConfig } from '../../src/config/load.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Task, TaskEvent } from '../../src/domain/task.ts'
import { docker, sandboxImage } from '../support/docker.ts'
import { boxesOf } from '../support/boxes.ts'
import { needEngine } from '../support/needs.ts'
import { keepPosture, lendPosture } from '../support/posture.ts'
import { requestOf, sh } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'

// The built program, in a process of its own, killed with SIGKILL.
const program = join(import.meta.dirname, '../../dist/program/cofferdam.js')

let data: string
let config: Config
let client: Client
let server: ChildProcess
/** Somebody else's container, which nothing here may touch. */
let foreign: string

beforeAll(async () => {
  await needEngine()
  const made = await docker.createContainer({
    Image: await sandboxImage(),
    Cmd: ['true'],
    Labels: { 'cofferdam.test': 'foreign' },
  })
  foreign = made.id
})
afterAll(() => docker.getContainer(foreign).remove())

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'cofferdam-crash-'))
  config = loadConfig({ data }, thisProcess())
  client = createClient(socketFetch(config.controlSocket))
  await lendPosture(data)
  await serve()
})

afterEach(async () => {
  await kill()
  keepPosture(data)
  rmSync(data, { recursive: true, force: true })
})

async function serve(): Promise<void> {
  server = spawn(process.execPath, [program, 'serve', '--data', data], { stdio: 'ignore' })
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
  const ended = new Promise((resolve) => server.once('exit', resolve))
  if (server.exitCode === null && server.signalCode === null) {
    server.kill('SIGKILL')
    await ended
  }
}

/** Follows a task to its end, and kills and restarts the server whenever `when` says so about a new event. */
async function ride(id: TaskId, when: (event: TaskEvent) => boolean): Promise<{ task: Task; kills: number }> {
  let seq = 0
  let kills = 0
  const over = AbortSignal.timeout(400_000)
  while (!over.aborted) {
    try {
      const task = await client.task(id)
      if (isAtRest(task, seq)) return { task, kills }
      const stream = new AbortController()
      for await (const sight of await client.watch(id, seq, AbortSignal.any([over, stream.signal]))) {
        if (sight.kind === 'output') continue
        seq = sight.event.seq
        if (when(sight.event)) {
          kills += 1
          await kill()
          await serve()
        } else if (!isAtRest(sight.task, seq)) continue
        stream.abort()
        break
      }
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
      await sleep(20)
    }
  }
  const events = await client.events(id, 0)
  throw new Error(events.map((event) => `${event.to} ${event.type} ${event.text}`).join('\n'))
}

/** Nothing more happens, and all that did up to `seq` was seen. */
const isAtRest = (task: Task, seq: number): boolean =>
  !['PENDING', 'RUNNING', 'VALIDATING'].includes(task.status) && task.phase === null && task.version === seq

const files = { 'README.md': 'hello\n', '.gitignore': 'deps/\n', 'src/code.txt': 'code\n' }

/** Two steps, in boxes with everything that a box can have; a step that took effect twice would show. */
async function born(repo: string): Promise<TaskId> {
  const { task } = await client.submit(
    requestOf({
      repo,
      setup: 'mkdir -p deps && echo dep >deps/one',
      egress: ['allowed.example.test'],
      argv: sh(`sleep 0.4
        [ "$(cat deps/one)" = dep ] || exit 9
        curl -sS -m 5 https://denied.example.test/ 2>/dev/null
        echo "line $(( $(cat lines.txt 2>/dev/null | wc -l) + 1 ))" >>lines.txt
        [ $(wc -l <lines.txt) -ge 2 ] && echo TASK_STATE: DONE || echo TASK_STATE: CONTINUE`),
      test: 'sleep 0.3; [ ! -f lines.txt ] || grep -q line lines.txt',
    }),
  )
  await client.act(task.id, { act: 'approve' })
  return task.id
}

/** What is recorded, told apart by what it says, whatever number or commit is in it. */
const effectOf = ({ type, text }: TaskEvent): string =>
  `${type}: ${text.replaceAll(/step \d+|, attempt \d+|[0-9a-f]{10}|\d+m \d+s/gi, '…')}`
const effectOfStep = (event: TaskEvent): string => `${effectOf(event)} in step ${event.step}`

function walk(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
}

/** Processes whose command line names the data folder. */
function processesOf(folder: string): readonly number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(folder) ? [Number(name)] : []
    } catch {
      // It ended meanwhile.
      return []
    }
  })
}

async function leavesNothing(task: Task, repo: string): Promise<void> {
  expect([task.halt, task.status, task.outcome, task.spent.steps]).toEqual([null, 'APPLIED', 'tested', 2])
  expect(git(repo, 'show', `${task.branch}:lines.txt`)).toBe('line 1\nline 2\n')
  expect(git(repo, 'rev-list', '--count', `main..${task.branch}`).trim()).toBe('2')
  expect(git(repo, 'fsck', '--strict')).toBe('')
  const events = await client.events(task.id, 0)
  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1))
  expect(await client.verify(task.id, [])).toMatchObject({ holds: true, findings: [] })

  for (let tries = 0; boxesOf(task.id).length > 0 && tries < 100; tries += 1) await sleep(100)
  const installation = readFileSync(join(data, 'installation'), 'utf8').trim()
  expect(leftOnEngine(installation)).toEqual([])
  expect((await docker.getContainer(foreign).inspect()).State.Status).toBe('created')
  expect(
    walk(config.runtimeFolder).filter((path) => path !== 'control.sock' && path !== installation),
  ).toEqual([])
  expect(
    walk(join(data, 'scratch')).filter((path) => !['boxes', 'canary', 'posture.json'].includes(path)),
  ).toEqual([])
  expect(walk(data).filter((path) => path.endsWith('.lock'))).toEqual([])
  const mirror = join(data, 'mirrors', `${task.repository.key}.git`)
  expect(git(mirror, 'for-each-ref', '--format=%(refname)').trim().split('\n')).toEqual([
    `refs/cofferdam/${task.id}/base`,
    `refs/cofferdam/${task.id}/candidate`,
    `refs/heads/cofferdam/${task.id}`,
  ])
  expect(readdirSync(join(data, 'tasks', task.id)).toSorted()).toEqual(
    ['.git', '.gitignore', 'README.md', 'lines.txt', 'src'].toSorted(),
  )
  expect(processesOf(data)).toEqual([server.pid])
  expect(execFileSync('mount', { encoding: 'utf8' })).not.toContain(data)
}

/** Rides until each effect had its kill; what had none is given back. */
async function notRidden(told: (event: TaskEvent) => string, atLeast: number): Promise<readonly string[]> {
  const repo = aRepository(files)
  const id = await born(repo)
  const { task } = await ride(id, () => false)
  await leavesNothing(task, repo)
  const events = await client.events(id, 0)
  // What is recorded before the loop has it, and the end, are no effects of the loop.
  const pending = new Set(events.slice(2, -1).map(told))
  expect(pending.size).toBeGreaterThanOrEqual(atLeast)

  // A task whose process dies five times with no agent or test that ended in between waits for a person.
  for (let rides = 0; pending.size > 0 && rides < 12; rides += 1) {
    const again = aRepository(files)
    let left = 4
    const ridden = await ride(await born(again), (event) => {
      if (event.type === 'agent_finished' || event.type === 'tested') left = 4
      if (left === 0 || !pending.delete(told(event))) return false
      left -= 1
      return true
    })
    expect(ridden.kills).toBeGreaterThan(0)
    await leavesNothing(ridden.task, again)
  }
  return [...pending]
}

describe('the process is killed', () => {
  it('right after each thing that a merge has recorded, and the branch is moved once, with its checkout', async () => {
    const repo = aRepository(files)
    const request = { repo, argv: sh('echo new >new.txt'), test: 'sleep 0.3; test -f src/code.txt' }
    const { task: asked } = await client.submit(requestOf(request))
    if (asked.status === 'DRAFT') await client.act(asked.id, { act: 'approve' })
    const { task } = await ride(asked.id, () => false)
    expect(task.status).toBe('APPLIED')
    writeFileSync(join(repo, 'theirs.txt'), 'x\n')
    git(repo, 'add', '-A')
    git(repo, 'commit', '-q', '-m', 'theirs')
    await client.act(task.id, { act: 'merge', into: null, how: null, accept: [] })
    const seen = new Set<number>()
    const { task: merged, kills } = await ride(task.id, ({ seq, type }) => {
      if (seq <= task.version || seen.has(seq)) return false
      seen.add(seq)
      return type.startsWith('merge')
    })
    expect([merged.delivery, kills > 1]).toEqual(['merged', true])
    expect((await client.events(task.id, task.version)).map(({ type }) => type)).toEqual([
      'merge_decided',
      'merge_advanced',
      'merge_begun',
      'merge_advanced',
      'merged',
    ])
    expect(git(repo, 'log', '--merges', '--format=%s', 'main').trim()).toBe(`Merge ${task.branch} into main`)
    expect([
      git(repo, 'status', '--porcelain'),
      git(repo, 'show', 'main:new.txt'),
      git(repo, 'fsck'),
    ]).toEqual(['', 'new\n', ''])
    expect(await client.verify(task.id, [])).toMatchObject({ holds: true, findings: [] })
    for (let tries = 0; boxesOf(task.id).length > 0 && tries < 100; tries += 1) await sleep(100)
    expect(boxesOf(task.id)).toEqual([])
  })

  it('B08 right after every effect that a task has recorded, once each', async () => {
    expect(await notRidden(effectOf, 12)).toEqual([])
  }, 900_000)

  it('B08 right after every effect of each of its steps', { tags: ['long'], timeout: 900_000 }, async () => {
    expect(await notRidden(effectOfStep, 19)).toEqual([])
  })

  // Each of these moments lies between two of those above.
  it('at moments that have nothing to do with what it does', { tags: ['long'] }, async () => {
    const repo = aRepository(files)
    const id = await born(repo)
    // Kills are spaced so that some progress is made between them: five lost attempts in a row stop a task by design.
    let killAt = Date.now() + 700
    let gaps = [900, 1300, 1700, 2300]
    let kills = 0
    const over = new AbortController()
    const assassin = (async () => {
      while (!over.signal.aborted && gaps.length > 0) {
        await sleep(Math.max(0, killAt - Date.now()))
        // A kill after the end of the task would prove nothing.
        if (over.signal.aborted) return
        kills += 1
        await kill()
        await serve()
        killAt = Date.now() + (gaps[0] ?? 0)
        gaps = gaps.slice(1)
      }
    })()
    const { task } = await ride(id, () => false)
    over.abort()
    await assassin
    expect(kills).toBeGreaterThan(0)
    await leavesNothing(task, repo)
  })
})
