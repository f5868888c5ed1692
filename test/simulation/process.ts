import pino from 'pino'
import { openAccess } from '../../control-plane/access.ts'
import { attestor } from '../../control-plane/attest/attestor.ts'
import { nonceKeyOf } from '../../control-plane/attest/key.ts'
import { Bus } from '../../control-plane/bus.ts'
import { Loop } from '../../control-plane/loop/loop.ts'
import { outboxDesk } from '../../control-plane/outbox/desk.ts'
import { Plane } from '../../control-plane/plane.ts'
import { openStore } from '../../control-plane/store/open.ts'
import type { Change, Store } from '../../control-plane/store/store.ts'
import { Tasks } from '../../control-plane/tasks.ts'
import { agents } from '../../src/agents/open.ts'
import type { Engine } from '../../src/domain/box.ts'
import type { HostPath } from '../../src/domain/brand.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { KnownSecrets } from '../../src/domain/leak.ts'
import type { Worktrees } from '../../src/domain/worktree.ts'
import { specHash } from '../../src/sandbox/hash.ts'
import { compileBox } from '../../src/sandbox/spec.ts'
import { aBudget, aPolicy } from '../support/task.ts'
import { virtualEngine, virtualGateway } from './engine.ts'
import { simulationKey } from './key.ts'
import type { Machine } from './machine.ts'
import { virtualWorktrees } from './worktrees.ts'
import { slowly, type Yard } from './yard.ts'

/** What is broken on purpose, to see whether it is found. Nothing, in a simulation that looks for bugs. */
export interface Broken {
  store?(store: Store): Store
  engine?(engine: Engine): Engine
  worktrees?(worktrees: Worktrees): Worktrees
}

/** What a process is run on, and who looks on. */
export interface Site {
  readonly file: HostPath
  readonly machine: Machine
  readonly yard: Yard
  readonly broken: Broken
  /** Something of a task was written, and nothing else has happened since. */
  readonly wrote: (task: TaskId, writer: number) => void
}

/** When a process is killed: before or after so many more writes. */
export interface Fuse {
  writes: number
  readonly after: boolean
}

/** What a dead process gets of everything that it still calls. */
export class Dead extends Error {}

const policy = aPolicy({
  upstreams: ['anthropic'],
  limits: { ...aPolicy().limits, testSeconds: 20, setupSeconds: 30 },
})
const anthropic = { key: null, keyFrom: 'nowhere', origin: 'http://models.test' }
const installation = 'sim'
export const nonceKey = nonceKeyOf(simulationKey)

/** A process of the control plane: the store, the loop, the gate and the decisions are real, the world around them is not. */
export class ControlPlaneProcess {
  readonly id: number
  readonly plane: Plane
  /** Why it lives no more, or null. */
  ended: 'killed' | 'closed' | null = null
  /** As by SIGSTOP. */
  stopped = false
  ready = false
  closing = false
  fuse: Fuse | null = null
  readonly #site: Site
  readonly #loop: Loop
  readonly #store: Store

  constructor(site: Site, id: number) {
    this.id = id
    this.#site = site
    const { machine, yard, broken } = site
    const { clock } = machine
    const opened = openStore(site.file)
    this.#store = opened
    const store = this.#watched(broken.store?.(opened) ?? opened)
    const bus = new Bus()
    const now = (): number => clock.now()
    const attests = attestor({ store, key: () => simulationKey, installation })
    const tasks = new Tasks({ store, bus, clock: now, attestor: attests })
    const engine = virtualEngine(machine, id)
    const breakOff = (): void => yard.breakOff(id, 'worktrees', new Failure('worktree', 'This process ends.'))
    const worktrees = virtualWorktrees(machine, breakOff)
    const shared = {
      store,
      tasks,
      bus,
      engine: slowly(broken.engine?.(engine) ?? engine, { yard, owner: id, kind: 'engine', atOnce: [] }),
      worktrees: slowly(broken.worktrees?.(worktrees) ?? worktrees, {
        yard,
        owner: id,
        kind: 'worktrees',
        atOnce: ['materials', 'end'],
      }),
      agents,
      compile: compileBox,
      specHash,
      outputs: {
        start: () => ({ write: () => undefined, end: () => Promise.resolve() }),
        read: () => Promise.resolve(''),
      },
      registries: () => Promise.resolve({ tunnels: [], env: {}, notes: [] }),
      installation,
      user: { uid: 10_001, gid: 10_001 },
      clock: now,
    }
    this.#loop = new Loop(
      {
        ...shared,
        gateway: virtualGateway(machine, id),
        secrets: new KnownSecrets([]),
        attestor: attests,
        posture: () => null,
        ticks: { now, every: (ms, act) => clock.every(id, ms, act) },
        sleep: (ms, signal) => clock.sleep(id, ms, signal),
        log: pino({ level: 'silent' }),
      },
      { limit: 2, memoryMb: 8192, attend: 'all' },
    )
    const { outbox } = store
    this.plane = new Plane({
      ...shared,
      access: openAccess({ store, clock: now, random: () => new Uint8Array(42) }),
      outbox: outboxDesk({ outbox, destinations: new Set(), clock: now, wake: () => undefined }),
      loop: this.#loop,
      key: () => simulationKey,
      keyPlaces: { key: simulationKey.path, pin: simulationKey.path },
      search: () => Promise.reject(new Error('nobody searches here')),
      defaults: {
        budget: aBudget(),
        agent: { name: 'command', argv: ['true'] },
        policy,
        means: { memoryMb: 8192, upstreams: { anthropic }, pricesAsOf: '2026-01-01' },
        repository: () => ({}),
      },
      repositories: {},
      data: '/data',
    })
    this.#loop.recover().then(
      () => {
        this.#loop.start()
        this.ready = true
        return undefined
      },
      // A process that cannot start ends, and another one tries.
      () => this.kill(),
    )
  }

  get runs(): boolean {
    return this.ended === null && !this.stopped
  }

  /** As by SIGKILL: nothing that it waits for ever comes. */
  kill(): void {
    if (this.ended !== null) return
    this.ended = 'killed'
    this.ready = false
    this.#site.yard.drop(this.id)
    this.#site.machine.drop(this.id)
  }

  /** Ends in good order; `ended` says when it has. */
  close(): void {
    this.closing = true
    this.ready = false
    const over = (): void => {
      if (this.ended !== null) return
      this.kill()
      this.ended = 'closed'
    }
    this.#loop[Symbol.asyncDispose]().then(over, over)
  }

  /** Gives the file back, once nothing of it runs any more. */
  [Symbol.dispose](): void {
    this.#store[Symbol.dispose]()
  }

  /** The store as this process sees it: it may die at each write, and the disk may be full. */
  #watched(store: Store): Store {
    const { machine, wrote } = this.#site
    const writes = <T>(id: TaskId | undefined, act: () => T): T => {
      if (machine.diskFull) throw new Failure('disk', 'The disk is full.')
      const fuse = this.fuse
      if (fuse !== null && fuse.writes === 0 && !fuse.after) this.#die()
      const answer = act()
      if (id !== undefined) wrote(id, this.id)
      if (fuse !== null && fuse.writes === 0) this.#die()
      if (fuse !== null) fuse.writes -= 1
      return answer
    }
    return new Proxy(store, {
      get: (_, name: keyof Store) => {
        const method: unknown = Reflect.get(store, name)
        if (typeof method !== 'function') return method
        return (...args: readonly unknown[]): unknown => {
          if (this.ended !== null) throw new Dead(`process ${this.id} is ${this.ended}`)
          const call = (): unknown => Reflect.apply(method, store, args)
          if (name === 'write') return writes((args[0] as Change).after.id, call)
          if (name === 'heartbeat') return writes(args[0] as TaskId, call)
          return name === 'recordEgress' ? writes(undefined, call) : call()
        }
      },
    })
  }

  #die(): never {
    this.kill()
    throw new Dead(`process ${this.id} is killed`)
  }
}
