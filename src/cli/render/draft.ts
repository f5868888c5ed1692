import type { Task } from '../../domain/task.ts'
import { laidOpen } from '../../domain/laid-open.ts'
import { termsRows } from './task.ts'
import { columns, hang } from './text.ts'

/** Why a draft wants a person, in lines. */
export function reasonLines(task: Task): readonly string[] {
  return [
    `This ${task.kind === 'question' ? 'question' : 'task'} wants a person, because:`,
    ...task.risks.map(({ rule, text }) => `  ${hang(`${rule}: ${text}`, 4)}`),
  ]
}

/** What a person agrees to who has not just written it: the goal as it is now, what is run, where to, and the reasons. */
export function draftLines(task: Task): readonly string[] {
  const what = task.kind === 'question' ? 'question' : 'goal'
  const rows = [...termsRows(task, null), ['may reach', reach(task)]]
  return [`  ${what}: ${hang(laidOpen(task.goal), 4)}`, ...columns(rows, 2), ...reasonLines(task)]
}

function reach({ policy, setup }: Task): string {
  const names = [...policy.egress, ...policy.upstreams].join(', ')
  const more = setup === null ? '' : '; setup reaches the package registries'
  return `${names === '' ? 'nothing' : hang(laidOpen(names), 0)}${more}`
}
