import type { Task } from '../../domain/task.ts'
import { hang, laidOpen } from './text.ts'

/** Why a draft wants a person, in lines. */
export function reasonLines(task: Task): readonly string[] {
  return [
    `This ${task.kind === 'question' ? 'question' : 'task'} wants a person, because:`,
    ...task.risks.map(({ rule, text }) => `  ${hang(`${rule}: ${text}`, 4)}`),
  ]
}

/** What a person agrees to who has not just written it: the goal as it is now, and the reasons. */
export function draftLines(task: Task): readonly string[] {
  const what = task.kind === 'question' ? 'question' : 'goal'
  return [`  ${what}: ${hang(laidOpen(task.goal), 4)}`, ...reasonLines(task)]
}
