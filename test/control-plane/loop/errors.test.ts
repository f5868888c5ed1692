import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Bus } from '../../../control-plane/bus.ts'
import { entryOf } from '../../../control-plane/loop/entry.ts'
import { afterError } from '../../../control-plane/loop/errors.ts'
import { OutputFiles } from '../../../control-plane/loop/output-files.ts'
import { tick } from '../../../control-plane/loop/tick.ts'
import { ticks } from '../../../control-plane/ticks.ts'
import type { Work } from '../../../control-plane/loop/work.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import type { Store } from '../../../control-plane/store/store.ts'
import { Tasks } from '../../../control-plane/tasks.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import { Failure, type FailureCode } from '../../../src/domain/failure.ts'
import type { Input } from '../../../src/domain/input.ts'
import { KnownSecrets } from '../../../src/domain/leak.ts'
import { compilePolicy } from '../../../src/domain/matcher.ts'
import { type Phase, phases, type Task } from '../../../src/domain/task.ts'
import { lossCap } from '../../../src/domain/transition/table.ts'
import { createGateway } from '../../../src/gateway/gateway.ts'
import { gitFolder } from '../../../src/sandbox/places.ts'
import { openWorktrees } from '../../../src/worktree/open.ts'
import { attesting } from '../../support/attesting.ts'
import { change } from '../../support/change.ts'
import { fakeEngine, fakeHost, type FakeHost } from '../../support/fake-engine.ts'
import { aCheckpoint, aCommit, aPerson, aTask } from '../../support/task.ts'

let folder: string
let store: Store
let host: FakeHost
let pauses: number[]
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-errors-'))
  store = openStore(join(folder, 'cofferdam.db') as HostPath)
  host = await fakeHost()
  pauses = []
})
afterEach(async () => {
  store[Symbol.dispose]()
  await host[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const validating: ReadonlySet<Phase> = new Set(['test', 'checkpoint', 'handover'])

/** A turn at a task in this phase. */
function workAt(phase: Phase, overrides: Partial<Task> = {}): Work {
  const bus = new Bus()
  const clock = Date.now
  const tasks = new Tasks({ store, bus, clock, attestor: attesting(store) })
  const status = validating.has(phase) ? 'VALIDATING' : 'RUNNING'
  const task = tasks.birth(
    aTask({ status, phase, step: 1, attempt: 1, fence: 1, ...overrides }),
    'Submitted.',
  )
  return {
    deps: {
      pulls: () => null,
      store,
      tasks,
      bus,
      engine: fakeEngine({ installation: 'test', host }),
      worktrees: openWorktrees({
        data: folder as HostPath,
        user: { uid: 1, gid: 1 },
        author: { name: 'Cofferdam', email: 'cofferdam@localhost' },
        pointerTarget: gitFolder,
        policyMatcher: compilePolicy,
      }),
      agents: new Map(),
      compile: () => {
        throw new Error('nothing is computed here')
      },
      specHash: () => '',
      outputs: new OutputFiles(folder as HostPath),
      ticks,
      gateway: createGateway({ upstreams: [], secrets: [], prices: {}, clock }),
      registries: () => Promise.resolve({ tunnels: [], env: {}, notes: [] }),
      secrets: new KnownSecrets([]),
      attestor: {
        step: () => {
          throw new Error('nothing is attested here')
        },
      },
      posture: () => null,
      installation: 'test',
      user: { uid: 1, gid: 1 },
      clock,
      sleep: (ms) => {
        pauses.push(ms)
        return Promise.resolve()
      },
      log: pino({ level: 'silent' }),
    },
    task,
    signal: new AbortController().signal,
    log: pino({ level: 'silent' }),
    rest: () => Promise.resolve(),
    report: (input, along) => tasks.report(task.id, task.fence, input, along).kind === 'written',
  }
}

/** What a task in this phase has become after its phase failed so. */
async function after(phase: Phase, error: unknown, overrides: Partial<Task> = {}, errors = 1): Promise<Task> {
  const work = workAt(phase, overrides)
  await afterError(work, error, errors)
  return work.deps.tasks.get(work.task.id)
}

const halts: readonly [FailureCode | null, Task['status'], string, RegExp][] = [
  ['image', 'BLOCKED', 'image', /^What failed\.$/],
  ['disk', 'BLOCKED', 'disk', /^What failed\. Make room on the disk, then resume\.$/],
  ['worktree', 'FAILED', 'worktree', /^What failed\.$/],
  ['repository', 'BLOCKED', 'repository', /^What failed\.$/],
  ['remote', 'BLOCKED', 'repository', /^What failed\.$/],
  ['bad_request', 'BLOCKED', 'agent', /^What failed\.$/],
  [
    null,
    'FAILED',
    'crash',
    /^Cofferdam itself failed: What failed\. Look at logs\/cofferdam\.log in the data folder; resume tries again\.$/,
  ],
]
const working = phases.filter((phase) => phase !== 'salvage' && phase !== 'postponed')
const failed = (code: FailureCode | null): Error =>
  code === null ? new Error('What failed.') : new Failure(code, 'What failed.')

describe('a phase that fails', () => {
  const pairs = working.flatMap((phase) => halts.map((halt) => [phase, ...halt] as const))
  it.each(pairs)('in %s with %s halts the task: %s %s', async (phase, code, status, reason, text) => {
    const task = await after(phase, failed(code))
    expect([task.status, task.halt?.reason]).toEqual([status, reason])
    expect(task.halt?.text).toMatch(text)
    // Where a box or a half-made step may be left, what is allowed of it is kept first.
    expect(task.phase).toBe('salvage')
    expect(pauses).toEqual([])
  })

  it('that is a refused hand-over goes to the hand-over again at a resume', async () => {
    const { id } = await after('handover', failed('repository'), { outcome: 'tested' })
    const tasks = new Tasks({ store, bus: new Bus(), clock: Date.now, attestor: attesting(store) })
    tasks.act(id, { type: 'resumed', instruction: null, budget: null }, aPerson)
    tasks.report(id, 1, { type: 'claimed', leaseUntil: 1 })
    tasks.report(id, 2, { type: 'salvaged', head: aCommit, text: '' })
    const task = tasks.get(id)
    expect([task.status, task.phase]).toEqual(['RUNNING', 'prepare'])
    expect(entryOf(task, null, [], () => '').phase).toBe('handover')
  })

  it.each(working)('in %s for want of the engine is tried again once that answers', async (phase) => {
    const task = await after(phase, failed('engine'))
    expect([task.status, task.phase, task.losses]).toEqual([
      validating.has(phase) ? 'VALIDATING' : 'RUNNING',
      phase,
      1,
    ])
    expect(pauses).toEqual([1000])
  })

  /** What becomes of a task whose engine answers at the second time, or never; each pause takes this long by the two clocks. */
  async function awaited(comesBack: boolean, wallMs: number, tickMs: number): Promise<Task> {
    const work = workAt('agent')
    const { engine } = work.deps
    let [wall, gone] = [0, 0]
    const describe: typeof engine.describe = () =>
      comesBack && pauses.length > 0 ? engine.describe() : Promise.reject(new Error('It is away.'))
    const deps = {
      ...work.deps,
      engine: { ...engine, describe },
      clock: () => Date.now() + wall,
      ticks: { ...ticks, now: () => gone },
      sleep: (ms: number) => {
        pauses.push(ms)
        wall += wallMs
        gone += tickMs
        return Promise.resolve()
      },
    }
    await afterError({ ...work, deps }, failed('engine'), 1)
    return work.deps.tasks.get(work.task.id)
  }

  it('for want of an engine that stays away for five minutes fails the task', async () => {
    const task = await awaited(false, 60_000, 60_000)
    expect([task.status, task.halt?.reason]).toEqual(['FAILED', 'engine'])
    expect(task.halt?.text).toContain('It stayed away for 5 minutes.')
    expect(pauses).toHaveLength(5)
  })

  it('for want of an engine does not count the hours that the machine slept meanwhile', async () => {
    const task = await awaited(true, 8 * 3_600_000, 1000)
    expect([task.status, task.losses]).toEqual(['RUNNING', 1])
  })

  it.each(working)('in %s for want of the engine too often fails the task', async (phase) => {
    const task = await after(phase, failed('engine'), { losses: lossCap - 1 })
    expect([task.status, task.halt?.reason]).toEqual(['FAILED', 'engine'])
  })

  it.each(phases.flatMap((phase) => (['busy', 'database'] as const).map((code) => [phase, code] as const)))(
    'in %s because the storage is %s changes nothing, and waits longer each time',
    async (phase, code) => {
      expect((await after(phase, failed(code), {}, 4)).version).toBe(1)
      expect(pauses).toEqual([8000])
    },
  )

  it.each([
    ['worktree', 1],
    ['repository', 6],
    [null, 6],
    ['engine', 14],
  ] as const)('while the work of a halted step is kept (%s) is tried %i times', async (code, times) => {
    const stopped = { status: 'STOPPED', halt: { reason: 'stopped', text: 'Enough.' } } as const
    if (times > 1) {
      expect((await after('salvage', failed(code), stopped, times - 1)).phase).toBe('salvage')
      store[Symbol.dispose]()
      rmSync(join(folder, 'cofferdam.db'))
      store = openStore(join(folder, 'cofferdam.db') as HostPath)
    }
    const task = await after('salvage', failed(code), stopped, times)
    expect([task.status, task.phase, task.halt?.text]).toEqual(['STOPPED', null, 'Enough.'])
    expect(store.events(task.id, 1, 10).at(-1)?.text).toContain('could not be kept: What failed.')
  })
})

describe('the work of a halted step on a full disk', () => {
  it.each([
    ['STOPPED', { reason: 'stopped', text: 'Enough.' }, 'Enough.'],
    [
      'BLOCKED',
      { reason: 'disk', text: 'It was full.' },
      /^What failed\. What step 1 has done is left in the data/,
    ],
    [
      'RUNNING',
      null,
      /^What failed\. What step 1 has done is left in the data folder as it is: make room there/,
    ],
  ] as const)('is left for a resume (%s)', async (status, halt, says) => {
    const work = workAt('salvage', { status, halt })
    const { id } = work.task
    const open = aCheckpoint({ taskId: id, step: 1, fence: 1, state: 'open' })
    store.write(change(work.task, {}, { checkpoint: open }))
    for (const errors of [1, 2]) {
      expect(store.task(id)?.phase).toBe('salvage')
      await afterError(work, failed('disk'), errors)
    }
    const task = work.deps.tasks.get(id)
    expect([task.status, task.phase]).toEqual([status === 'STOPPED' ? 'STOPPED' : 'BLOCKED', 'postponed'])
    expect(task.halt?.text).toMatch(says)
    expect(store.openCheckpoint(id)?.step).toBe(1)
  })
})

describe('a phase whose record is wrong', () => {
  it.each([
    ['setup', { setup: null }, /in phase setup without a setup command/],
    ['baseline', { test: null }, /in phase baseline without a test command/],
    ['verify', {}, /in phase verify without an attempt under way/],
    ['test', {}, /in phase test without an attempt under way/],
  ] as const)('%s %j does nothing instead', async (phase, overrides, says) => {
    await expect(tick(workAt(phase, overrides))).rejects.toThrow(says)
  })

  it.each([
    ['verify', /in phase verify without a box/],
    ['test', /in phase test without a candidate/],
    ['checkpoint', /in phase checkpoint without an agent's result/],
  ] as const)('%s with a bare attempt does nothing instead', async (phase, says) => {
    const work = workAt(phase)
    const begun: Input = { type: 'begun', step: 1, attempt: 1, text: '', consumed: null }
    expect(work.report(begun, { checkpoints: [aCheckpoint()] })).toBe(true)
    await expect(tick(work)).rejects.toThrow(says)
  })
})
