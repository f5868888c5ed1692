import type { TaskId } from '../src/domain/ids.ts'
import type { Bus } from './bus.ts'
import type { Sight } from './control-plane.ts'
import type { Store } from './store/store.ts'

/** Output held for a reader that is slower than the box; what is older is dropped and marked. */
const heldOutputs = 256

/**
 * What happens on a task: the events after `after` from the store, then live. Events are read from the store when the
 * bus says that there are some, so that a slow reader costs no memory; output is held in a short queue.
 */
export async function* watch(
  store: Store,
  bus: Bus,
  id: TaskId,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Sight> {
  let seq = after
  let outputs: Sight[] = []
  let wake = (): void => undefined
  const push = (sight: Sight): void => {
    if (outputs.length >= heldOutputs) outputs = [droppedMark(sight)]
    else outputs.push(sight)
    wake()
  }
  const unsubscribe = bus.subscribe({
    changed: (task) => {
      if (task.id === id) wake()
    },
    output: (task, output) => {
      if (task === id) push({ kind: 'output', ...output })
    },
  })
  const onAbort = (): void => wake()
  signal.addEventListener('abort', onAbort)
  try {
    while (!signal.aborted) {
      const ready = outputs
      outputs = []
      yield* ready
      const task = store.task(id)
      const events = store.events(id, seq, 100)
      for (const event of events) {
        seq = event.seq
        if (task !== null) yield { kind: 'event', event, task }
      }
      if (events.length === 0 && outputs.length === 0 && !isAborted(signal)) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        wake = () => undefined
      }
    }
  } finally {
    unsubscribe()
    signal.removeEventListener('abort', onAbort)
  }
}

/** A fresh look, so that the compiler does not believe the loop's condition still holds after a yield. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}

function droppedMark(sight: Sight): Sight {
  return sight.kind === 'output'
    ? { ...sight, text: `\n[output dropped: the reader is too slow]\n${sight.text}` }
    : sight
}
