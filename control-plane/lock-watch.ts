import type { HostPath } from '../src/domain/brand.ts'
import { deferred } from '../src/domain/deferred.ts'
import { Failure } from '../src/domain/failure.ts'
import type { FolderLock } from './store/lock.ts'
import type { Ticks } from './ticks.ts'

/** How often it is looked whether the lock is still in its place, ms. */
const lookMs = 1000

export interface LockWatch extends Disposable {
  /** Resolves to why this process may not go on, once another could work on a folder at the same place; else never. */
  readonly lost: Promise<Failure>
}

/** Two processes that work on what they take for the same data folder would remove each other's boxes. */
export function watchLock(
  lock: Pick<FolderLock, 'isGone'>,
  dataFolder: HostPath,
  ticks: Pick<Ticks, 'every'>,
): LockWatch {
  const { promise: lost, resolve } = deferred<Failure>()
  const end = ticks.every(lookMs, () => {
    if (lock.isGone()) resolve(gone(dataFolder))
  })
  return { lost, [Symbol.dispose]: end }
}

function gone(dataFolder: HostPath): Failure {
  return new Failure(
    'data_folder',
    `The data folder ${dataFolder} is gone from its place, or its lock.db is: it is let go, as another process could take it. ` +
      'Where it was moved, put it back; then start again.',
  )
}
