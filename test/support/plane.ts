import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open, type Opened, type OpenOptions } from '../../control-plane/main.ts'
import { type Client, createClient } from '../../src/client/client.ts'
import { thisProcess } from '../../src/config/environment.ts'
import { type Config, loadConfig } from '../../src/config/load.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { parseTaskRequest, type TaskRequest } from '../../src/domain/intake.ts'
import type { PostureLevel } from '../../src/domain/posture.ts'
import type { Task } from '../../src/domain/task.ts'
import { needEngine } from './needs.ts'
import { keepPosture, lendPosture } from './posture.ts'
import { removeAll } from './template.ts'

/** A goal for the agent `command`, which reads it or not. */
export interface Wanted {
  readonly repo: string
  readonly argv: readonly string[]
  readonly goal?: string
  readonly test?: string
  readonly setup?: string
  readonly steps?: number
  readonly minutes?: number
  readonly allow?: readonly string[]
  readonly readonly?: readonly string[]
  readonly egress?: readonly string[]
  readonly upstreams?: readonly string[]
  readonly tokens?: number
  readonly cost?: number
  readonly limits?: Readonly<Record<string, number>>
  readonly onViolation?: 'retry' | 'fail'
  readonly posture?: PostureLevel
  /** Approve it where the risk gate asks. */
  readonly yes?: boolean
}

/** A control plane in this process, on a data folder of its own and the real engine. */
export interface TestPlane {
  readonly client: Client
  /** Where it is offered over TCP, if the configuration says so. */
  origin(): string | null
  /** What a path is answered with over HTTP. */
  get(path: string): Promise<Response>
  readonly config: Config
  submit(wanted: Wanted): Promise<Task>
  /** Submits and waits until the task halts or is applied. */
  run(wanted: Wanted): Promise<Task>
  /** Waits until a task is in a state that only a person can change. */
  settled(id: TaskId): Promise<Task>
  until(id: TaskId, condition: (task: Task) => boolean): Promise<Task>
  /**
   * Ends it in good order and opens it again on the same data folder; `own` claims nothing that nobody attends. `between`: what
   * is done to the folder meanwhile.
   */
  reopen(attend?: 'own' | 'all', between?: () => void): Promise<void>
  close(): Promise<void>
}

/** A shell script as the agent's argv. */
export function sh(script: string): readonly string[] {
  return ['/bin/sh', '-c', script]
}

/** Longer than any test takes; the tests have limits of their own. */
const longestWaitMs = 600_000

/** Extra lines of configuration go into a `cofferdam.yaml`. All of it lies in a new folder below `parent`. */
export async function openTestPlane(
  yaml = '',
  parent = tmpdir(),
  more: Pick<OpenOptions, 'discordApi'> = {},
): Promise<TestPlane> {
  const folder = mkdtempSync(join(parent, 'cofferdam-data-'))
  const file = join(folder, 'cofferdam.yaml')
  writeFileSync(file, `concurrency: 4\npolicy: { limits: { diskFreeMb: 64 } }\n${yaml}`)
  const around = thisProcess()
  const config = loadConfig({ data: join(folder, 'data'), config: file }, around)
  await needEngine(config.engine.socket)
  await lendPosture(config.dataFolder)
  const start = async (attend: 'own' | 'all'): Promise<Opened> => {
    const opened = await open(config, around, { what: 'test', attend, stderrLevel: 'silent', ...more })
    if ('kind' in opened) throw new Error('the data folder is held')
    return opened
  }
  let opened = await start('all')
  const client = createClient((path, call) => opened.fetch(path, call))

  const until: TestPlane['until'] = async (id, condition) => {
    for (const end = Date.now() + longestWaitMs; Date.now() < end; await pause(50)) {
      const task = await client.task(id)
      if (condition(task)) return task
    }
    const events = await client.events(id, 0)
    throw new Error(
      `waited too long for ${id}:\n${events.map((event) => `${event.to} ${event.text}`).join('\n')}`,
    )
  }
  const settled: TestPlane['settled'] = (id) =>
    until(id, (task) => !['PENDING', 'RUNNING', 'VALIDATING'].includes(task.status) && task.phase === null)
  const submit: TestPlane['submit'] = async (wanted) => {
    const { task } = await client.submit(requestOf(wanted))
    // What these tests are about is mostly in the agent's own command.
    const expected = task.risks.every(({ text }) => text.startsWith("The agent's command "))
    const approve = task.status === 'DRAFT' && (wanted.yes === true || expected)
    return approve ? client.act(task.id, { act: 'approve' }) : task
  }
  return {
    client,
    origin: () => opened.origin,
    get: async (path) => opened.fetch(path, { method: 'GET', headers: {} }),
    config,
    submit,
    run: async (wanted) => settled((await submit(wanted)).id),
    settled,
    until,
    reopen: async (attend = 'all', between = () => undefined) => {
      await opened[Symbol.asyncDispose]()
      between()
      opened = await start(attend)
    },
    close: async () => {
      await opened[Symbol.asyncDispose]()
      keepPosture(config.dataFolder)
      removeAll(folder)
    },
  }
}

/** A request as an entry hands it in. */
export function requestOf(wanted: Wanted): TaskRequest {
  const parsed = parseTaskRequest({
    goal: wanted.goal ?? 'Make it right',
    repository: wanted.repo,
    agent: { name: 'command', argv: wanted.argv },
    setup: wanted.setup ?? null,
    test: wanted.test ?? null,
    budget: {
      steps: wanted.steps,
      minutes: wanted.minutes,
      tokens: wanted.tokens,
      cost: wanted.cost,
    },
    policy: {
      allow: wanted.allow ?? [],
      readonly: wanted.readonly ?? [],
      egress: wanted.egress ?? [],
      upstreams: wanted.upstreams ?? [],
      limits: wanted.limits ?? {},
      onViolation: wanted.onViolation,
      posture: wanted.posture,
    },
  })
  if (!parsed.ok) throw new Error(parsed.problems.join(' '))
  return parsed.request
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
