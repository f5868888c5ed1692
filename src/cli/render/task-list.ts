import type { Task } from '../../domain/task.ts'
import { stateOf } from './state.ts'
import { columns, duration, firstLine } from './text.ts'

/** Tasks as a table that fits `width` columns. */
export function taskTable(tasks: readonly Task[], now: number, width: number): readonly string[] {
  const head = ['ID', 'STATUS', 'STEP', 'AGE', 'REPOSITORY', 'GOAL']
  const rows = tasks.map((task) => [
    task.id,
    stateOf(task),
    `${task.spent.steps}/${task.budget.steps}`,
    duration(now - task.createdAt),
    firstLine(task.repository.path.split('/').at(-1) ?? '', 24),
    firstLine(task.goal, 400),
  ])
  return columns([head, ...rows]).map((line) => firstLine(line, width))
}
