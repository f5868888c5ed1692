import { type Standing, standingOf } from '../../domain/standing.ts'

/**
 * How a task stands, for a list, in which why it is halted would push all else aside. It has more changes than questions:
 * only these are named.
 */
export function stateOf(task: Standing): string {
  if (task.kind !== 'question') return standingOf({ ...task, halt: null }, (status) => status)
  return `${task.delivery === 'discarded' ? 'discarded' : task.status} question`
}
