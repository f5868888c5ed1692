import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { onTestFinished } from 'vitest'
import type { AgentProgress } from '../../../src/domain/agent.ts'
import { Bus } from '../../../control-plane/bus.ts'
import { OutputFiles } from '../../../control-plane/loop/output-files.ts'
import { ticks } from '../../../control-plane/ticks.ts'
import type { LoopDeps, Work } from '../../../control-plane/loop/work.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import type { Store } from '../../../control-plane/store/store.ts'
import { Tasks } from '../../../control-plane/tasks.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import { KnownSecrets } from '../../../src/domain/leak.ts'
import type { RevealedSecret } from '../../../src/domain/leak-patterns.ts'
import type { Task } from '../../../src/domain/task.ts'
import { createGateway } from '../../../src/gateway/gateway.ts'
import { attesting } from '../../support/attesting.ts'
import { aTask } from '../../support/task.ts'

/** A turn at a task whose agent's box runs, with all that the watch over a box needs: storage, log, bus, gateway. */
export interface BoxWork {
  readonly work: Work
  readonly store: Store
  /** The data folder. */
  readonly folder: string
  readonly task: () => Task
  /** Texts and data of the events so far that are notices. */
  readonly noticed: () => readonly { readonly text: string; readonly data: unknown }[]
  /** What those who look on were shown of the box's output. */
  readonly shown: string[]
  /** What they were told that its agent did, and spent. */
  readonly progress: AgentProgress[]
}

export function openBoxWork(
  overrides: Partial<Task> = {},
  { secrets = [] }: { readonly secrets?: readonly RevealedSecret[] } = {},
): BoxWork {
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-watch-'))
  const store = openStore(join(folder, 'cofferdam.db') as HostPath)
  onTestFinished(() => {
    store[Symbol.dispose]()
    rmSync(folder, { recursive: true })
  })
  const bus = new Bus()
  const clock = Date.now
  const tasks = new Tasks({ store, bus, clock, attestor: attesting(store) })
  const running = { status: 'RUNNING', phase: 'agent', step: 1, attempt: 1, fence: 1 } as const
  const task = tasks.birth(aTask({ ...running, ...overrides }), 'Submitted.')
  const log = pino({ level: 'silent' })
  const deps = {
    store,
    tasks,
    bus,
    outputs: new OutputFiles(folder as HostPath),
    gateway: createGateway({ upstreams: [], secrets: [], prices: {}, clock }),
    secrets: new KnownSecrets(secrets),
    clock,
    ticks,
    log,
  }
  const shown: string[] = []
  const progress: AgentProgress[] = []
  bus.subscribe({
    output(_id, output) {
      shown.push(output.text)
      progress.push(...(output.progress ?? []))
    },
  })
  return {
    work: {
      // The rest is for phases, which a box that runs has behind it.
      deps: deps as unknown as LoopDeps,
      task,
      signal: new AbortController().signal,
      log,
      rest: () => Promise.resolve(),
      report: (input, along) => tasks.report(task.id, task.fence, input, along).kind === 'written',
    },
    store,
    folder,
    task: () => tasks.get(task.id),
    noticed: () =>
      store
        .events(task.id, 0, 1000)
        .filter(({ type }) => type === 'noticed')
        .map(({ text, data }) => ({ text, data })),
    shown,
    progress,
  }
}
