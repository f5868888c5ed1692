import { exitCode } from './exit.ts'
import type { World } from './world.ts'

/** What the signals of this process mean for the task that it follows. */
export interface Interrupts extends Disposable {
  /** Ctrl-C: stop the task. A second one ends this process at once. */
  readonly stop: AbortSignal
  /** SIGTERM: leave the task as it is, for whoever takes it up. */
  readonly leave: AbortSignal
}

/** `onStop` is told once, before the stop is on its way. */
export function interrupts(world: World, onStop: () => void): Interrupts {
  const stop = new AbortController()
  const leave = new AbortController()
  const listening = world.onSignal((signal) => {
    if (signal === 'SIGTERM') {
      leave.abort()
    } else if (stop.signal.aborted) {
      world.exit(exitCode('interrupted'))
    } else {
      onStop()
      stop.abort()
    }
  })
  return { stop: stop.signal, leave: leave.signal, [Symbol.dispose]: () => listening[Symbol.dispose]() }
}
