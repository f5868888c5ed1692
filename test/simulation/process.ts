import pino from 'pino'
import { openAccess } from '../../control-plane/access.ts'
import { attestor } from '../../control-plane/attest/attestor.ts'
import { nonceKeyOf } from '../../control-plane/attest/key.ts'
import { Bus } from '../../control-plane/bus.ts'
import { Loop } from '../../control-plane/loop/loop.ts'
import { outboxDesk } from '../../control-plane/outbox/desk.ts'
import { Dispatcher } from '../../control-plane/outbox/dispatcher.ts'
import { Plane } from '../../control-plane/plane.ts'
import { PullFollower } from '../../control-plane/pulls/follower.ts'
import { ScheduleBook } from '../../control-plane/schedule/book.ts'
import type { RunDeps } from '../../control-plane/schedule/runs.ts'
import { Scheduler } from '../../control-plane/schedule/scheduler.ts'
import type { Store } from '../../control-plane/store/store.ts'
import { type Defaults, draftTask } from '../../control-plane/submit.ts'
import { Tasks } from '../../control-plane/tasks.ts'
import { Together } from '../../control-plane/together.ts'
import type { Ticks } from '../../control-plane/ticks.ts'
import { openAgents } from '../../src/agents/open.ts'
import type { Engine } from '../../src/domain/box.ts'
import type { Forge, PullPlaces } from '../../src/domain/delivery/forge.ts'
import { Failure } from '../../src/domain/failure.ts'
import { KnownSecrets } from '../../src/domain/leak.ts'
import { usualPatience } from '../../src/domain/outbox/attempt.ts'
import type { Destination } from '../../src/domain/outbox/destination.ts'
import type { Worktrees } from '../../src/domain/worktree.ts'
import { specHash } from '../../src/sandbox/hash.ts'
import { compileBox } from '../../src/sandbox/spec.ts'
import { noRemotes } from '../support/no-remotes.ts'
import { aBudget, aPolicy } from '../support/task.ts'
import { virtualEngine, virtualGateway } from './engine.ts'
import { proposing } from './forge.ts'
import { simulationKey } from './key.ts'
import type { Machine } from './machine.ts'
import type { Stage } from './stage.ts'
import { type Fuse, watched, type Witness } from './watched.ts'
import { virtualWorktrees } from './worktrees.ts'
import { slowly, type Yard } from './yard.ts'

/** What is broken on purpose, to see whether it is found. Nothing, in a simulation that looks for bugs. */
export interface Broken {
  store?(store: Store): Store
  tasks?: typeof Tasks
  engine?(engine: Engine): Engine
  worktrees?(worktrees: Worktrees): Worktrees
  destination?(destination: Destination): Destination
  forge?(forge: Forge): Forge
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
  readonly #follower: PullFollower
  readonly #store: Store

  constructor(site: Site, id: number) {
    this.id = id
    this.#site = site
    const { machine, yard, broken } = site
    const { clock } = machine
    const opened = site.stage.take()
    this.#store = opened
    const store = watched(broken.store?.(opened) ?? opened, this, site)
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
      outbox,
      destinations,
      bus,
      clock: now,
      ticks,
      log,
      patience,
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
      agents: openAgents(),
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
    const seen = machine.forge.seen()
    const forge = slowly(broken.forge?.(seen) ?? seen, { yard, owner: id, kind: 'forge', atOnce: [] })
    const { remote: url, user, token, network } = proposing
    const place = { settings: proposing, remote: { url, user, token, network }, forge: async () => forge }
    const pulls: PullPlaces = () => place
    this.#follower = new PullFollower({
      store,
      tasks,
      pulls,
      clock: now,
      ticks,
      log,
      secrets: new KnownSecrets([]),
    })
    this.#loop = new Loop(
      {
        ...shared,
        gateway: virtualGateway(machine, id),
        secrets: new KnownSecrets([]),
        attestor: attests,
        posture: () => null,
        pulls,
        ticks,
        sleep: (ms, signal) => clock.sleep(id, ms, signal),
        log,
      },
      { limit: 2, memoryMb: 8192, attend: 'all' },
    )
    const defaults: Defaults = {
      budget: aBudget(),
      agent: { name: 'command', argv: ['true'] },
      answerer: { name: 'command', argv: ['true'] },
      policy,
      means: { memoryMb: 8192, upstreams: { anthropic }, pricesAsOf: '2026-01-01' },
      repository: () => ({
        delivery: { pull: proposing, way: machine.proposes ? 'pull-request' : 'merge' },
      }),
      isNamed: () => true,
    }
    const draft: RunDeps['draft'] = (request, task, by) =>
      draftTask({ ...shared, defaults }, request, task, by)
    this.#scheduler = new Scheduler({ ...shared, draft, ticks, log })
    this.plane = new Plane({
      ...shared,
      // Nobody asks doctor here.
      lost: () => Promise.resolve([]),
      together: new Together(shared),
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
      discord: () => null,
      pages: () => null,
      apart: () => Promise.resolve([]),
      git: () => Promise.resolve('git 2.39.5'),
      version: '0.1.0',
      schedules: new ScheduleBook({ ...shared, draft, changed: () => this.#scheduler.wake() }),
      scheduled: [],
      repositories: {},
      remotes: noRemotes,
      pulls,
      data: '/data',
    })
    this.#loop.recover().then(
      () => {
        this.#loop.start()
        this.#dispatcher.start()
        this.#scheduler.start()
        this.#follower.start()
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
  async close(): Promise<void> {
    this.closing = true
    this.ready = false
    try {
      // In the order of main.ts.
      for (const part of [this.#scheduler, this.#follower, this.#loop, this.#dispatcher])
        await part[Symbol.asyncDispose]()
    } catch {
      // Its end is the end of it all the same.
    }
    if (this.ended !== null) return
    this.kill()
    this.ended = 'closed'
  }
}
