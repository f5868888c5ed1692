import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, createClient } from '../../src/client/client.ts'
import { socketFetch } from '../../src/client/fetch.ts'
import { thisProcess } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Task } from '../../src/domain/task.ts'
import { keepPosture, lendPosture } from '../support/posture.ts'

/** The built program serving a data folder of its own, in a process that can be killed. */
export interface OwnServer extends AsyncDisposable {
  readonly data: string
  readonly controlSocket: string
  readonly client: Client
  /** Of the process that serves now. */
  pid(): number
  start(): Promise<void>
  /** SIGKILL, and nothing is left of the process. */
  kill(): Promise<void>
  settled(id: TaskId): Promise<Task>
}

const program = join(import.meta.dirname, '../../dist/program/cofferdam.js')

export async function ownServer(): Promise<OwnServer> {
  const data = mkdtempSync(join(tmpdir(), 'cofferdam-server-'))
  const { controlSocket } = loadConfig({ data }, thisProcess())
  await lendPosture(data)
  const client = createClient(socketFetch(controlSocket))
  let process: ChildProcess | null = null

  const start = async (): Promise<void> => {
    const started = spawn(globalThis.process.execPath, [program, 'serve', '--data', data], {
      stdio: 'ignore',
    })
    process = started
    for (const end = Date.now() + 30_000; Date.now() < end && started.exitCode === null; await sleep(50)) {
      if (await answers(client)) return
    }
    throw new Error('the server did not come up: is the program built (npm run build)?')
  }
  const kill = async (): Promise<void> => {
    if (process === null || process.exitCode !== null || process.signalCode !== null) return
    const ended = new Promise((resolve) => process?.once('exit', resolve))
    process.kill('SIGKILL')
    await ended
  }
  await start()
  return {
    data,
    controlSocket,
    client,
    pid: () => process?.pid ?? 0,
    start,
    kill,
    async settled(id) {
      for (const end = Date.now() + 120_000; Date.now() < end; await sleep(50)) {
        const task = await client.task(id)
        if (!['PENDING', 'RUNNING', 'VALIDATING'].includes(task.status) && task.phase === null) return task
      }
      throw new Error(`waited too long for ${id}`)
    },
    async [Symbol.asyncDispose]() {
      await kill()
      keepPosture(data)
      rmSync(data, { recursive: true, force: true })
    },
  }
}

async function answers(client: Client): Promise<boolean> {
  try {
    await client.ping()
    return true
  } catch {
    return false
  }
}
