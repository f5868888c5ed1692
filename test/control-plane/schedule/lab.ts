import { Bus } from '../../../control-plane/bus.ts'
import { ScheduleBook } from '../../../control-plane/schedule/book.ts'
import { Scheduler } from '../../../control-plane/schedule/scheduler.ts'
import type { RunDeps } from '../../../control-plane/schedule/runs.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import type { Store } from '../../../control-plane/store/store.ts'
import { Tasks } from '../../../control-plane/tasks.ts'
import { ticks } from '../../../control-plane/ticks.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import { assessRisk } from '../../../src/domain/risk/risk.ts'
import { attesting } from '../../support/attesting.ts'
import { aPolicy, aTask } from '../../support/task.ts'

export interface ScheduleLab extends Disposable {
  readonly store: Store
  readonly tasks: Tasks
  readonly book: ScheduleBook
  readonly scheduler: Scheduler
}

/** The real store, scheduler and risk gate on a clock of the test; only the repository is not looked at. */
export function scheduleLab(
  file: HostPath,
  clock: () => number,
  before: () => Promise<void> | void = () => undefined,
): ScheduleLab {
  const store = openStore(file)
  const tasks = new Tasks({ store, bus: new Bus(), clock, attestor: attesting(store) })
  const draft: RunDeps['draft'] = async ({ goal }, id, { actor }) => {
    await before()
    const task = aTask({ id, goal, request: goal, createdBy: actor, createdAt: clock(), updatedAt: clock() })
    const { agent, budget, policy, setup, test } = task
    const written = {
      repositoryBy: 'config',
      setupBy: 'config',
      testBy: 'config',
      agentBy: 'config',
    } as const
    const risks = assessRisk({
      goal,
      agent,
      budget,
      policy,
      setup,
      test,
      configured: { budget, policy: aPolicy() },
      ...written,
    })
    const words = risks.filter(({ rule }) => rule !== 'agent-command')
    return {
      task: { ...task, risks: words, status: words.length > 0 ? 'DRAFT' : 'PENDING' },
      notes: [],
      hidden: [],
    }
  }
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const shared = { store, tasks, clock, draft }
  return {
    store,
    tasks,
    book: new ScheduleBook({ ...shared, changed: () => undefined }),
    scheduler: new Scheduler({ ...shared, ticks, log: quiet }),
    [Symbol.dispose]: () => store[Symbol.dispose](),
  }
}
