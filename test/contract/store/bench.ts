import * as fc from 'fast-check'
import { afterEach, beforeEach } from 'vitest'
import type { Store } from '../../../control-plane/store/store.ts'
import type { Checkpoint, Task } from '../../../src/domain/task.ts'
import { anyCheckpoint } from '../../support/arbitrary.ts'
import { birth, claim } from '../../support/change.ts'
import { aTask, aTaskId, aTime } from '../../support/task.ts'

/** What a part of the contract works with: a fresh store for each test. */
export interface Bench {
  readonly store: Store
  /** One more opening of the same store, as another process would have. */
  another(): Store
  /** A task that has just been written. */
  born(task?: Task, rest?: Parameters<typeof birth>[1]): Task
  /** The same, and claimed. */
  running(): Task
}

/** A place for one store, empty at first, that can be opened more than once: also by two at the same time. */
export interface StoreHome {
  open(): Store
  [Symbol.dispose](): void
}

/** Sets up and clears away around each test of the surrounding suite. */
export function setBench(make: () => StoreHome): Bench {
  let home: StoreHome
  let opened: Store[]
  const another = (): Store => {
    const more = home.open()
    opened.push(more)
    return more
  }
  const first = (): Store => opened[0] ?? another()
  const write = (change: Parameters<Store['write']>[0]): void => {
    const { kind } = first().write(change)
    if (kind !== 'written') throw new Error('a first write was lost')
  }
  const born: Bench['born'] = (task = aTask(), rest = {}) => {
    write(birth(task, rest))
    return task
  }
  beforeEach(() => {
    home = make()
    opened = []
  })
  afterEach(() => {
    for (const one of opened) one[Symbol.dispose]()
    home[Symbol.dispose]()
  })
  return {
    get store() {
      return first()
    },
    another,
    born,
    running: () => {
      write(claim(born(), aTime + 30_000))
      return present(first().task(aTaskId))
    },
  }
}

/** Everything that is stored about a task: for "nothing was written". */
export function everything(store: Store, { id }: Task) {
  return {
    task: store.task(id),
    events: store.events(id, 0, 1000),
    checkpoints: store.checkpoints(id),
    surface: store.openSurface(id),
    counts: store.counts(),
  }
}

export function present<T>(value: T | null): T {
  if (value === null) throw new Error('expected something, found nothing')
  return value
}

export function beat(different: Partial<Parameters<Store['heartbeat']>[2]>) {
  return { leaseUntil: aTime + 60_000, chargeMs: 0, step: 1, attempt: 1, ...different }
}

export function boxNamed(name: string): Checkpoint['box'] {
  const sample = fc.sample(
    anyCheckpoint.filter(({ box }) => box !== null),
    { numRuns: 1, seed: 7 },
  )[0]
  return sample === undefined || sample.box === null ? null : { ...sample.box, name }
}
