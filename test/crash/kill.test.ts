import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Client, createClient } from '../../src/client/client.ts'
import { socketFetch, Unreachable } from '../../src/client/fetch.ts'
import { thisProcess } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Task, TaskEvent } from '../../src/domain/task.ts'
import { boxesOf } from '../support/boxes.ts'
import { needEngine } from '../support/needs.ts'
import { requestOf, sh } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'

// The built program, in a process of its own, killed with SIGKILL.
const program = join(import.meta.dirname, '../../dist/src/cli/main.js')

let data: string
let client: Client
let server: ChildProcess

beforeAll(() => needEngine())

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'cofferdam-crash-'))
  const config = loadConfig({ data }, thisProcess())
  client = createClient(socketFetch(config.controlSocket))
  await serve()
})

afterEach(async () => {
  await kill()
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

/** A task whose process dies five times in a row waits for a person, so nothing here kills it that often. */
const mostKills = 4

/** Follows a task, and kills and restarts the server whenever `when` says so about a new event. */
async function ride(id: TaskId, when: (event: TaskEvent) => boolean): Promise<{ task: Task; kills: number }> {
  let seq = 0
  let kills = 0
  for (const end = Date.now() + 150_000; Date.now() < end;) {
    try {
      const events = await client.events(id, seq)
      seq = events.at(-1)?.seq ?? seq
      if (kills < mostKills && events.some(when)) {
        kills += 1
        await kill()
        await serve()
        continue
      }
      const task = await client.task(id)
      if (!['PENDING', 'RUNNING', 'VALIDATING'].includes(task.status) && task.phase === null)
        return { task, kills }
      await sleep(5)
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
      await sleep(20)
    }
  }
  const events = await client.events(id, 0)
  throw new Error(events.map((event) => `${event.to} ${event.type} ${event.text}`).join('\n'))
}

/** Two steps; each leaves a line, so that a step that took effect twice would show. */
const wanted = (repo: string) => ({
  repo,
  argv: sh(
    'sleep 0.5; echo "line $(( $(cat lines.txt 2>/dev/null | wc -l) + 1 ))" >> lines.txt; [ $(wc -l < lines.txt) -ge 2 ] && echo TASK_STATE: DONE || echo TASK_STATE: CONTINUE',
  ),
  test: 'sleep 0.3; [ ! -f lines.txt ] || grep -q line lines.txt',
})

async function leavesNothing(task: Task, repo: string): Promise<void> {
  expect([task.status, task.outcome, task.spent.steps]).toEqual(['APPLIED', 'tested', 2])
  expect(git(repo, 'show', `${task.branch}:lines.txt`)).toBe('line 1\nline 2\n')
  expect(git(repo, 'rev-list', '--count', `main..${task.branch}`).trim()).toBe('2')
  expect(git(repo, 'fsck', '--strict')).toBe('')
  const events = await client.events(task.id, 0)
  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1))
  for (let tries = 0; boxesOf(task.id).length > 0 && tries < 100; tries += 1) await sleep(100)
  expect(boxesOf(task.id)).toEqual([])
  expect(readdirSync(join(data, 'tasks', task.id)).toSorted()).toEqual(['.git', 'README.md', 'lines.txt'])
}

const types = ['begun', 'agent_finished', 'advanced', 'candidate_made', 'tested', 'checkpointed'] as const

describe('the process is killed', () => {
  it.each(types)('right after every "%s" was recorded in the first step', async (type) => {
    const repo = aRepository()
    const { task: born } = await client.submit(requestOf(wanted(repo)))
    const { task, kills } = await ride(
      born.id,
      (event) => event.type === type && event.step <= 1 && event.attempt <= 1,
    )
    expect(kills).toBeGreaterThan(0)
    await leavesNothing(task, repo)
  })

  it('at moments that have nothing to do with what it does', async () => {
    const repo = aRepository()
    const { task: born } = await client.submit(requestOf(wanted(repo)))
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
    const { task } = await ride(born.id, () => false)
    over.abort()
    await assassin
    expect(kills).toBeGreaterThan(0)
    await leavesNothing(task, repo)
  })
})
