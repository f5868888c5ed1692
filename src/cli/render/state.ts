import type { Task } from '../../domain/task.ts'

/** How a task stands, for a list, which has more changes than questions: only these are named. */
export function stateOf({ kind, status, delivery }: Pick<Task, 'kind' | 'status' | 'delivery'>): string {
  const state = delivery === 'discarded' ? 'discarded' : status
  return kind === 'question' ? `${state} question` : state
}
