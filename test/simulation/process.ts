import pino from 'pino'
import { openAccess } from '../../control-plane/access.ts'
import { attestor } from '../../control-plane/attest/attestor.ts'
import { nonceKeyOf } from '../../control-plane/attest/key.ts'
import { Bus } from '../../control-plane/bus.ts'
import { Loop } from '../../control-plane/loop/loop.ts'
import { outboxDesk } from '../../control-plane/outbox/desk.ts'
import { Dispatcher } from '../../control-plane/outbox/dispatcher.ts'
import { Plane } from '../../control-plane/plane.ts'
import { ScheduleBook } from '../../control-plane/schedule/book.ts'
import type { RunDeps } from '../../control-plane/schedule/runs.ts'
import { Scheduler } from '../../control-plane/schedule/scheduler.ts'
import type { Change, Lost, ScheduleStore, Store, Written } from '../../control-plane/store/store.ts'
import type { OutboxRows } from '../../control-plane/store/outbox.ts'
import { type Defaults, draftTask } from '../../control-plane/submit.ts'
import { Tasks } from '../../control-plane/tasks.ts'
import type { Ticks } from '../../control-plane/ticks.ts'
import { agents } from '../../src/agents/open.ts'
import type { Engine } from '../../src/domain/box.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { KnownSecrets } from '../../src/domain/leak.ts'
import { usualPatience } from '../../src/domain/outbox/attempt.ts'
import type { Destination } from '../../src/domain/outbox/destination.ts'
import type { Letter } from '../../src/domain/outbox/letter.ts'
import type { Worktrees } from '../../src/domain/worktree.ts'
import { specHash } from '../../src/sandbox/hash.ts'
import { compileBox } from '../../src/sandbox/spec.ts'
import { aBudget, aPolicy } from '../support/task.ts'
import { virtualEngine, virtualGateway } from './engine.ts'
import { simulationKey } from './key.ts'
import type { Machine } from './machine.ts'
import type { Post } from './post.ts'
import type { Stage } from './stage.ts'
import { virtualWorktrees } from './worktrees.ts'
import { slowly, type Yard } from './yard.ts'

/** What is broken on purpose, to see whether it is found. Nothing, in a simulation that looks for bugs. */
export interface Broken {
  store?(store: Store): Store
  tasks?: typeof Tasks
  engine?(engine: Engine): Engine
  worktrees?(worktrees: Worktrees): Worktrees
  destination?(destination: Destination): Destination
}

/** What a process is run on, and who looks on. */
export interface Site {
  readonly stage: Pick<Stage, 'take' | 'giveBack'>
  readonly machine: Machine
  readonly yard: Yard
  readonly broken: Broken
  /** A number from 0 to 1, for what a process itself leaves to chance. */
  readonly random: () => number
  readonly watcher: Witness
}

/** Is told of each write, before anything else happens. */
export interface Witness {
  wrote(task: TaskId, writer: number): void
  readonly post: Pick<Post, 'claimed' | 'moved'>
}

/** Says what was written, by the answer and the arguments of a method. */
type Tell = (answer: unknown, args: readonly unknown[]) => unknown

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
const patience = { ...usualPatience, attempts: 6, refusals: 3, firstMs: 1000, mostMs: 60_000 }
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
  readonly #dispatcher: Dispatcher
  readonly #scheduler: Scheduler
  readonly #store: Store

  constructor(site: Site, id: number) {
    this.id = id
    this.#site = site
    const { machine, yard, broken } = site
    const { clock } = machine
    const opened = site.stage.take()
    this.#store = opened
    const store = this.#watched(broken.store?.(opened) ?? opened)
    const bus = new Bus()
    const now = (): number => clock.now()
    const attests = attestor({ store, key: () => simulationKey, installation })
    const log = pino({ level: 'silent' })
    const destinations = machine.mail.destinations().map((destination) => {
      const broke = broken.destination?.(destination) ?? destination
      return slowly(broke, { yard, owner: id, kind: 'webhooks', atOnce: ['compose'] })
    })
    const ticks: Ticks = {
      now: () => clock.ticks(),
      every: (ms, act) => clock.every(id, ms, act),
      later: (ms, act) => clock.later(id, ms, act),
      deadline: (ms, act) => clock.later(id, ms, act),
    }
    const { outbox } = store
    this.#dispatcher = new Dispatcher({
      ...{ outbox, destinations, bus, clock: now, ticks, log, patience },
      random: site.random,
    })
    const tasks = new (broken.tasks ?? Tasks)({ store, bus, clock: now, attestor: attests, destinations })
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
        ticks,
        sleep: (ms, signal) => clock.sleep(id, ms, signal),
        log,
      },
      { limit: 2, memoryMb: 8192, attend: 'all' },
    )
    const defaults: Defaults = {
      budget: aBudget(),
      agent: { name: 'command', argv: ['true'] },
      policy,
      means: { memoryMb: 8192, upstreams: { anthropic }, pricesAsOf: '2026-01-01' },
      repository: () => ({}),
    }
    const draft: RunDeps['draft'] = (request, task, by) =>
      draftTask({ ...shared, defaults }, request, task, by)
    this.#scheduler = new Scheduler({ ...shared, draft, ticks, log })
    this.plane = new Plane({
      ...shared,
      access: openAccess({ store, clock: now, random: () => new Uint8Array(42) }),
      outbox: outboxDesk({
        outbox,
        destinations: new Set(destinations.map(({ name }) => name)),
        clock: now,
        wake: () => this.#dispatcher.wake(),
      }),
      loop: this.#loop,
      key: () => simulationKey,
      keyPlaces: { key: simulationKey.path, pin: simulationKey.path },
      search: () => Promise.reject(new Error('nobody searches here')),
      defaults,
      schedules: new ScheduleBook({ ...shared, draft, changed: () => this.#scheduler.wake() }),
      repositories: {},
      data: '/data',
    })
    this.#loop.recover().then(
      () => {
        this.#loop.start()
        this.#dispatcher.start()
        this.#scheduler.start()
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
    this.#site.stage.giveBack(this.#store)
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
    this.#loop
      [Symbol.asyncDispose]()
      .then(() => this.#dispatcher[Symbol.asyncDispose]())
      .then(over, over)
  }

  /** The store as this process sees it: it may die at each write, and the disk may be full. */
  #watched(store: Store): Store {
    const { watcher } = this.#site
    const { post } = watcher
    const outbox = this.#living<OutboxRows>(store.outbox, {
      claim: (letter) => letter !== null && post.claimed(letter as Letter),
      move: (done, [before, after]) => done === true && post.moved(before as Letter, after as Letter),
      giveUp: () => undefined,
    })
    const living = this.#living<Store>(store, {
      write: (answer, [change]) =>
        (answer as Written | Lost).kind === 'written' && watcher.wrote((change as Change).after.id, this.id),
      heartbeat: (done, [id]) => done === true && watcher.wrote(id as TaskId, this.id),
      recordEgress: () => undefined,
    })
    const schedules = this.#living<ScheduleStore>(store.schedules, {
      change: () => undefined,
      settle: () => undefined,
      decidedTo: () => undefined,
    })
    return Object.assign(living, { outbox, schedules })
  }

  /** The same methods, which only a living process can call; some of them write, and then tell of it. */
  #living<T extends object>(rows: T, tells: Partial<Record<keyof T, Tell>>): T {
    const entries = Object.entries(rows).map(([name, method]: [string, unknown]) => {
      if (typeof method !== 'function') return [name, method]
      const tell = tells[name as keyof T]
      return [
        name,
        (...args: readonly unknown[]): unknown => {
          if (this.ended !== null) throw new Dead(`process ${this.id} is ${this.ended}`)
          const call = (): unknown => Reflect.apply(method, rows, args)
          return tell === undefined ? call() : this.#writes(call, (answer) => tell(answer, args))
        },
      ]
    })
    return Object.fromEntries(entries) as T
  }

  #writes(act: () => unknown, tell: (answer: unknown) => void): unknown {
    if (this.#site.machine.diskFull) throw new Failure('disk', 'The disk is full.')
    const { fuse } = this
    if (fuse !== null && fuse.writes === 0 && !fuse.after) this.#die()
    const answer = act()
    tell(answer)
    if (fuse !== null && fuse.writes === 0) this.#die()
    if (fuse !== null) fuse.writes -= 1
    return answer
  }

  #die(): never {
    this.kill()
    throw new Dead(`process ${this.id} is killed`)
  }
}
