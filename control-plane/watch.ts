import type { TaskId } from '../src/domain/ids.ts'
import type { Bus } from './bus.ts'
import type { Sight } from '../src/domain/control-plane.ts'
import type { Store } from './store/store.ts'

/** Output held for a reader that is slower than the box, in pieces; when there are more, all are dropped and marked. */
const heldOutputs = 256

/** Waits in the queue in its place: the events up to this `seq`, which the store has. */
interface Due {
  readonly kind: 'due'
  readonly upTo: number
}

type Queued = Due | Extract<Sight, { kind: 'output' }>

/**
 * What happens on a task: the events after `after` from the store, then live. Events and output come in the order in
 * which they happened; a slow reader costs little memory, for events stay in the store and output is held in a short queue.
 */
export async function* watch(
  store: Store,
  bus: Bus,
  id: TaskId,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Sight> {
  let seq = after
  let queue: Queued[] = [{ kind: 'due', upTo: store.task(id)?.version ?? 0 }]
  let wake = (): void => undefined
  const push = (next: Queued): void => {
    if (queue.length >= heldOutputs) queue = shortened(queue)
    queue.push(next)
    wake()
  }
  const unsubscribe = bus.subscribe({
    // A task's version counts its events.
    changed: (task) => {
      if (task.id === id) push({ kind: 'due', upTo: task.version })
    },
    output: (task, output) => {
      if (task === id) push({ kind: 'output', ...output })
    },
  })
  const onAbort = (): void => wake()
  signal.addEventListener('abort', onAbort)
  try {
    while (!signal.aborted) {
      const next = queue.shift()
      if (next === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        wake = () => undefined
      } else if (next.kind === 'output') {
        yield next
      } else {
        for (const event of eventsUpTo(store, id, seq, next.upTo)) {
          seq = event.seq
          const task = store.task(id)
          if (task !== null) yield { kind: 'event', event, task }
        }
      }
    }
  } finally {
    unsubscribe()
    signal.removeEventListener('abort', onAbort)
  }
}

function* eventsUpTo(store: Store, id: TaskId, after: number, upTo: number) {
  for (let seq = after; seq < upTo;) {
    const events = store.events(id, seq, 100).filter((event) => event.seq <= upTo)
    yield* events
    const last = events.at(-1)
    if (last === undefined) return
    seq = last.seq
  }
}

/** Without the output, which is marked as dropped; of the events that are due, the last says it all. */
function shortened(queue: readonly Queued[]): Queued[] {
  const due = queue.findLast((item) => item.kind === 'due')
  const output = queue.findLast((item) => item.kind === 'output')
  const mark = '\n[output dropped: the reader is too slow]\n'
  return [...(due === undefined ? [] : [due]), ...(output === undefined ? [] : [{ ...output, text: mark }])]
}
