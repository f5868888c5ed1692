import { activityOf } from '../../domain/activity.ts'
import { left } from '../../domain/budget.ts'
import type { Task } from '../../domain/task.ts'
import { counted } from '../../domain/text.ts'
import type { Paint } from '../terminal.ts'
import { duration } from './text.ts'

/** What the live line is made of: the task, and when its present phase began. */
export interface Standing {
  readonly task: Task
  readonly since: number
}

/** How a task stands now, in one line that fits `width` columns. */
export function statusLine({ task, since }: Standing, now: number, width: number, paint: Paint): string {
  const running = ['setup', 'baseline', 'agent', 'test'].includes(task.phase ?? '') ? now - since : 0
  const step = task.step === 0 ? '' : `step ${task.step}/${task.budget.steps}`
  const parts = [
    step,
    activityOf(task) ?? task.status.toLowerCase(),
    duration(now - since),
    `${duration(Math.max(0, left(task).ms - running))} of ${duration(task.budget.seconds * 1000)} left`,
    task.spent.tokens === 0 ? '' : counted(task.spent.tokens, 'token'),
    task.spent.costUsd === 0 ? '' : `${task.spent.costUsd.toFixed(2)} USD`,
  ].filter((part) => part !== '')
  return paint.dim(`  ${parts.join(' · ')}`.slice(0, Math.max(0, width - 1)))
}
