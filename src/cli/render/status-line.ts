import { left } from '../../domain/budget.ts'
import type { Phase, Task } from '../../domain/task.ts'
import type { Paint } from '../terminal.ts'
import { duration } from './text.ts'

/** What the live line is made of: the task, and when its present phase began. */
export interface Standing {
  readonly task: Task
  readonly since: number
}

const doing: Readonly<Record<Phase, string>> = {
  prepare: 'preparing the worktree',
  setup: 'setup',
  baseline: 'test on the base',
  agent: 'agent at work',
  verify: 'checking the tree',
  candidate: 'making the candidate',
  test: 'testing',
  checkpoint: 'keeping the step',
  handover: 'handing over the branch',
  salvage: 'keeping what was done',
  postponed: 'waiting for room on the disk',
}

/** What is being done on a task; null where nothing is. */
export const activityOf = ({ phase }: Task): string | null => (phase === null ? null : doing[phase])

/** How a task stands now, in one line that fits `width` columns. */
export function statusLine({ task, since }: Standing, now: number, width: number, paint: Paint): string {
  const running = ['setup', 'baseline', 'agent', 'test'].includes(task.phase ?? '') ? now - since : 0
  const step = task.step === 0 ? '' : `step ${task.step}/${task.budget.steps}`
  const parts = [
    step,
    activityOf(task) ?? task.status.toLowerCase(),
    duration(now - since),
    `${duration(Math.max(0, left(task).ms - running))} of ${duration(task.budget.seconds * 1000)} left`,
  ].filter((part) => part !== '')
  return paint.dim(`  ${parts.join(' · ')}`.slice(0, Math.max(0, width - 1)))
}
