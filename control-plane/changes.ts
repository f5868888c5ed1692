import type { TaskId } from '../src/domain/ids.ts'
import type { Task } from '../src/domain/task.ts'
import type { Bus } from './bus.ts'

/**
 * Tasks as they change from now on, until `signal` aborts. What a slow reader has not taken yet is held once for each
 * task, as it is now.
 */
export async function* changes(bus: Bus, signal: AbortSignal): AsyncGenerator<Task> {
  const changed = new Map<TaskId, Task>()
  let wake = (): void => undefined
  const unsubscribe = bus.subscribe({
    changed(task) {
      // Behind those that have waited longer.
      changed.delete(task.id)
      changed.set(task.id, task)
      wake()
    },
  })
  const onAbort = (): void => wake()
  signal.addEventListener('abort', onAbort)
  try {
    while (!signal.aborted) {
      const next = changed.values().next()
      if (next.done === true) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        wake = () => undefined
      } else {
        changed.delete(next.value.id)
        yield next.value
      }
    }
  } finally {
    unsubscribe()
    signal.removeEventListener('abort', onAbort)
  }
}
