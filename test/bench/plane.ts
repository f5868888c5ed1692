import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { open } from '../../control-plane/main.ts'
import { type Client, createClient } from '../../src/client/client.ts'
import { thisProcess } from '../../src/config/environment.ts'
import { type Config, loadConfig } from '../../src/config/load.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { defaultPolicy } from '../../src/domain/policies.ts'
import { parseTaskRequest, type TaskRequest } from '../../src/domain/intake.ts'
import type { Status, Task } from '../../src/domain/task.ts'
import type { Lab } from './lab.ts'

/** A data folder with its configuration file, for a control plane in this process or another. */
export interface Premises {
  readonly data: string
  readonly config: string
}

/** `more`: what else its configuration says. */
export function premises(lab: Lab, name: string, concurrency: number, more: object = {}): Premises {
  const folder = lab.fresh(name)
  const config = join(folder, 'cofferdam.yaml')
  // As many boxes at once as are asked for, on a machine that has less than their limits too: they use little of them.
  const total = { memoryMb: concurrency * defaultPolicy.limits.memoryMb }
  // JSON is YAML.
  writeFileSync(
    config,
    JSON.stringify({ concurrency, total, runtime: join(lab.folder, 'run'), engine: lab.engine, ...more }),
  )
  return { data: join(folder, 'data'), config }
}

/** A control plane in this process, on the real engine. */
export interface BenchPlane extends AsyncDisposable {
  readonly client: Client
  readonly config: Config
}

export async function openPlane(
  lab: Lab,
  place: Premises,
  attend: 'all' | 'own' = 'all',
): Promise<BenchPlane> {
  const around = thisProcess()
  const config = loadConfig(place, around)
  const opened = await open(config, around, { what: 'bench', attend, stderrLevel: 'silent' })
  if ('kind' in opened) throw new Error(`${place.data} is held by another process`)
  const close = (): PromiseLike<void> => opened[Symbol.asyncDispose]()
  lab.atEnd(close)
  lab.owns(installationOf(config.dataFolder))
  const client = createClient((path, call) => opened.fetch(path, call))
  return { client, config, [Symbol.asyncDispose]: close }
}

/** The name of a data folder's installation on the engine. */
export function installationOf(data: HostPath): string {
  return readFileSync(join(data, 'installation'), 'utf8').trim()
}

/** A shell script as the agent of a task without a test. */
export function request(repository: string, script: string): TaskRequest {
  const agent = { name: 'command', argv: ['/bin/sh', '-c', script] }
  const parsed = parseTaskRequest({ goal: 'Be measured', repository, agent, test: null })
  if (!parsed.ok) throw new Error(parsed.problems.join(' '))
  return parsed.request
}

const underWay: ReadonlySet<Status> = new Set(['PENDING', 'RUNNING', 'VALIDATING'])

/** More than any measured task takes on a slow machine. */
const longestWaitMs = 180_000

/** Waits until nothing more happens to a task without a person. */
export async function halted(client: Client, id: TaskId): Promise<Task> {
  // Rarely: to be looked at costs the control plane time, too.
  for (const end = Date.now() + longestWaitMs; Date.now() < end; await sleep(100)) {
    const task = await client.task(id)
    if (!underWay.has(task.status) && task.phase === null) return task
  }
  const last = (await client.events(id, 0)).at(-1)
  throw new Error(`a measured task does not end; last it said: ${last?.text ?? 'nothing'}`)
}

/** The task, which must have ended in one of the ways that were meant. */
export function expectHalt(task: Task, ...reasons: readonly string[]): Task {
  if (reasons.includes(task.halt?.reason ?? '')) return task
  throw new Error(`a measured task ended as ${task.status}: ${task.halt?.text ?? 'no reason'}`)
}
