import type { Task, TaskEvent } from '../task.ts'
import type { Destination } from './destination.ts'
import { letterId, type NewLetter } from './letter.ts'

/** The letters that an event is worth, in the order of the destinations. */
export function lettersOf(
  destinations: readonly Destination[],
  event: TaskEvent,
  task: Task,
): readonly NewLetter[] {
  return destinations.flatMap((destination) => {
    const composed = destination.compose(event, task)
    if (composed === null) return []
    const { taskId, seq, at } = event
    const id = letterId({ destination: destination.name, taskId, seq, at })
    return [{ id, destination: destination.name, taskId, event: seq, ...composed, createdAt: at }]
  })
}
