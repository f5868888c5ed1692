import { deferred } from '../domain/deferred.ts'
import { exitCode } from './exit.ts'
import type { Reporter } from './reporter.ts'
import type { World } from './world.ts'

/** What Ctrl-C means at the moment, for people. */
export interface Words {
  /** At the first one. */
  readonly first: string
  /** At the second one, with which this process ends. */
  readonly last: string
}

/** What the signals of this process mean for the task that it makes or follows. */
export interface Interrupts extends Disposable {
  /** Ctrl-C: stop the task. A second one ends this process at once. */
  readonly stop: AbortSignal
  /** SIGTERM: leave the task as it is, for whoever takes it up. */
  readonly leave: AbortSignal
  /** From now on it is told in these words, also what has come already. */
  tell(words: Words): void
}

export function interrupts(world: World, reporter: Reporter): Interrupts {
  const stop = new AbortController()
  const leave = new AbortController()
  let words: Words = { first: 'Leaving…', last: 'Left.' }
  const listening = world.onSignal((signal) => {
    if (signal === 'SIGTERM') {
      leave.abort()
    } else if (stop.signal.aborted) {
      reporter.note(words.last)
      // The line at the bottom goes with us.
      reporter[Symbol.dispose]()
      world.exit(exitCode('interrupted'))
    } else {
      reporter.note(words.first)
      stop.abort()
    }
  })
  return {
    stop: stop.signal,
    leave: leave.signal,
    tell(said) {
      words = said
      if (stop.signal.aborted) reporter.note(words.first)
    },
    [Symbol.dispose]: () => listening[Symbol.dispose](),
  }
}

/** What `work` comes to; null where `signal` aborts before. */
export async function unlessLeft<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const { promise, resolve } = deferred<null>()
  const onAbort = (): void => resolve(null)
  signal.addEventListener('abort', onAbort)
  try {
    if (signal.aborted) onAbort()
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
