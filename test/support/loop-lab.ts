import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { attestor } from '../../control-plane/attest/attestor.ts'
import { keyPlaces, openKey, type SigningKey } from '../../control-plane/attest/key.ts'
import { Bus } from '../../control-plane/bus.ts'
import { logFile, openLog } from '../../control-plane/log.ts'
import { Loop } from '../../control-plane/loop/loop.ts'
import { OutputFiles } from '../../control-plane/loop/output-files.ts'
import type { LoopDeps } from '../../control-plane/loop/work.ts'
import { openStore } from '../../control-plane/store/open.ts'
import type { Store } from '../../control-plane/store/store.ts'
import { Tasks } from '../../control-plane/tasks.ts'
import { ticks } from '../../control-plane/ticks.ts'
import { openAgents } from '../../src/agents/open.ts'
import type { Agent } from '../../src/domain/agent.ts'
import type { Engine } from '../../src/domain/box.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import type { PullPlaces } from '../../src/domain/delivery/forge.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { KnownSecrets } from '../../src/domain/leak.ts'
import { compilePolicy } from '../../src/domain/matcher.ts'
import type { Posture } from '../../src/domain/posture.ts'
import { isWorking, type Task, type TaskEvent } from '../../src/domain/task.ts'
import type { Worktrees } from '../../src/domain/worktree.ts'
import { createGateway } from '../../src/gateway/gateway.ts'
import { specHash } from '../../src/sandbox/hash.ts'
import { gitFolder } from '../../src/sandbox/places.ts'
import { compileBox } from '../../src/sandbox/spec.ts'
import { openWorktrees } from '../../src/worktree/open.ts'
import { fakeEngine, fakeHost } from './fake-engine.ts'
import { aPolicy, aTask } from './task.ts'
import { removeAll } from './template.ts'

/** Called before a method of this name; what it throws or rejects with is what the method fails with. */
export type Before<T> = (method: keyof T & string, args: readonly unknown[]) => Promise<void> | void

/** What goes wrong, and when; may be changed at any time. */
export interface Faults {
  engine: Before<Engine>
  worktrees: Before<Worktrees>
  /** Must not be asynchronous. */
  store: Before<Store>
}

type LabDeps = Omit<LoopDeps, 'worktrees'> & { readonly outputs: OutputFiles }

/** The loop on the real store and real worktrees, with boxes that are processes, and faults on demand. Pauses take no time. */
export interface LoopLab extends AsyncDisposable {
  readonly deps: LabDeps
  readonly faults: Faults
  /** What must leave no box, from the next `reopen` on: nothing, unless a test says. */
  secrets: KnownSecrets
  /** Where pull requests are opened: nowhere, unless a test says. */
  pulls: PullPlaces
  /** Those that there are, and those that a test adds. */
  readonly agents: Map<string, Agent>
  /** The lines of the log so far. */
  logged(): readonly Readonly<Record<string, unknown>>[]
  /** Git without faults. */
  readonly worktrees: Worktrees
  readonly database: HostPath
  readonly key: SigningKey
  /** Every pause that the loop made, ms. */
  readonly pauses: number[]
  /** Ends the loop in good order, if one is open, and opens another one, as another process would. */
  reopen(): Promise<void>
  close(): Promise<void>
  /** A task on a repository; it is claimed at once. */
  birth(repo: string, script: string, overrides?: Partial<Task>): Promise<Task>
  task(id: TaskId): Task
  events(id: TaskId): readonly TaskEvent[]
  until(id: TaskId, condition: (task: Task) => boolean): Promise<Task>
  /** Waits until only a person can change the task. */
  settled(id: TaskId): Promise<Task>
}

/** What a canary would have found. */
const posture: Posture = {
  level: 'standard',
  engine: 'fake engine 1',
  missing: ['It is no engine.'],
  seen: {},
  at: 0,
}

const self = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
const user = self.uid === 0 ? { uid: 10_001, gid: 10_001 } : self

/** @param folder a data folder, which is removed at the end: a new one, or one that a restore has made */
export async function loopLab(folder = mkdtempSync(join(tmpdir(), 'cofferdam-loop-'))): Promise<LoopLab> {
  const data = folder as HostPath
  const host = await fakeHost()
  const nothing = (): void => undefined
  const faults: Faults = { engine: nothing, worktrees: nothing, store: nothing }
  const pauses: number[] = []
  let skipped = 0
  const clock = (): number => Date.now() + skipped
  const database = join(folder, 'cofferdam.db') as HostPath
  const real = openStore(database)
  const store = faulty(real, (...call) => faults.store(...call))
  const bus = new Bus()
  // Each process has its own: at its end, git is ended too.
  const worktrees = (): Worktrees =>
    openWorktrees({
      data,
      user,
      author: { name: 'Cofferdam', email: 'cofferdam@localhost' },
      pointerTarget: gitFolder,
      policyMatcher: compilePolicy,
    })
  const inspecting = worktrees()
  const key = openKey(keyPlaces(data, null), () => [])
  const attests = attestor({ store: real, key: () => key, installation: 'lab' })
  const agents = new Map(openAgents())
  const deps: LabDeps = {
    store,
    tasks: new Tasks({ store, bus, clock, attestor: attests }),
    bus,
    engine: faultyAsync(fakeEngine({ installation: 'lab', host }), (...call) => faults.engine(...call)),
    agents,
    compile: compileBox,
    specHash,
    outputs: new OutputFiles(data),
    gateway: createGateway({ upstreams: [], secrets: [], prices: {}, clock }),
    registries: () => Promise.resolve({ tunnels: [], env: {}, notes: [] }),
    get secrets() {
      return lab.secrets
    },
    attestor: attests,
    posture: () => posture,
    pulls: (repository) => lab.pulls(repository),
    installation: 'lab',
    user,
    clock,
    ticks: { ...ticks, now: () => ticks.now() + skipped },
    async sleep(ms, signal) {
      pauses.push(ms)
      skipped += ms
      await sleep(2, undefined, { signal }).catch(nothing)
    },
    log: openLog(folder, 'info', 'silent', { bytes: 2 ** 24, files: 2 }),
  }
  let loop: Loop | null = null
  const close = async (): Promise<void> => {
    await loop?.[Symbol.asyncDispose]()
    loop = null
  }
  const until: LoopLab['until'] = async (id, condition) => {
    for (const end = Date.now() + 20_000; Date.now() < end; await sleep(5)) {
      const task = real.task(id)
      if (task !== null && condition(task)) return task
    }
    const said = real.events(id, 0, 1000).map(({ to, type, text }) => `${to} ${type} ${text}`)
    throw new Error(`waited too long:\n${said.join('\n')}`)
  }
  const lab: LoopLab = {
    deps,
    faults,
    agents,
    secrets: new KnownSecrets([]),
    pulls: () => null,
    logged: () => readLog(folder),
    worktrees: inspecting,
    database,
    key,
    pauses,
    async reopen() {
      await close()
      const own = faultyAsync(worktrees(), (...call) => faults.worktrees(...call))
      loop = new Loop({ ...deps, worktrees: own }, { limit: 2, memoryMb: 8192, attend: 'all' })
      await loop.recover()
      loop.start()
    },
    close,
    async birth(repo, script, overrides = {}) {
      const { path, key, ref, commit } = await inspecting.inspect(repo, null)
      const id = deps.tasks.freshId()
      const task = aTask({
        id,
        repository: { path, key },
        base: { ref, commit },
        head: commit,
        branch: await inspecting.branchFor(path, id),
        agent: { name: 'command', argv: ['/bin/sh', '-c', script] },
        policy: aPolicy(),
        test: null,
        createdAt: clock(),
        ...overrides,
      })
      return deps.tasks.birth(task, 'Submitted.')
    },
    task: (id) => deps.tasks.get(id),
    events: (id) => real.events(id, 0, 1000),
    until,
    settled: (id) =>
      until(id, (task) => !isWorking(task) && task.status !== 'PENDING' && task.phase !== 'salvage'),
    async [Symbol.asyncDispose]() {
      await close()
      await host[Symbol.asyncDispose]()
      real[Symbol.dispose]()
      removeAll(folder)
    },
  }
  await lab.reopen()
  return lab
}

/** The lines of the log of a data folder. */
export function readLog(data: string): readonly Readonly<Record<string, unknown>>[] {
  return readFileSync(join(data, logFile), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** The same object, with a call before each of its methods that may throw. */
function faulty<T extends object>(target: T, before: Before<T>): T {
  return wrapped(target, (method, args, call) => {
    void before(method, args)
    return call()
  })
}

/** The same for an object whose methods are asynchronous, but for two: what is called before may take its time. */
function faultyAsync<T extends object>(target: T, before: Before<T>): T {
  return wrapped(target, (method, args, call) => {
    if (method === 'materials' || method === 'end') return call()
    return Promise.resolve()
      .then(() => before(method, args))
      .then(call)
  })
}

function wrapped<T extends object>(
  target: T,
  around: (method: keyof T & string, args: readonly unknown[], call: () => unknown) => unknown,
): T {
  return new Proxy(target, {
    get(_, name: keyof T & string) {
      const method: unknown = target[name]
      if (typeof method !== 'function') return method
      return (...args: readonly unknown[]) =>
        around(name, args, (): unknown => Reflect.apply(method, target, args))
    },
  })
}
