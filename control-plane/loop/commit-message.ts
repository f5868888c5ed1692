import type { Checkpoint, Task } from '../../src/domain/task.ts'

/** Subject line length that tools show whole. */
const subjectLength = 72

/** The message of a checkpoint's commit: the goal's first line, and trailers that lead back to the task. */
export function commitMessage(task: Task, row: Checkpoint): string {
  const line = task.goal.split('\n', 1)[0]?.trim() ?? ''
  const subject = line.length <= subjectLength ? line : `${line.slice(0, subjectLength - 1)}…`
  return `${subject}\n\nCofferdam-Task: ${task.id}\nCofferdam-Step: ${row.step}\nCofferdam-Attempt: ${row.attempt}\n`
}
