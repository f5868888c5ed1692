import type { Task } from '../../domain/task.ts'
import { hang } from './text.ts'

/** Above the reasons why work is not delivered without an owner's decision. */
export const marksTitle = "Delivering it takes an owner's decision, because"

/** Those reasons, one a line; empty where there are none. */
export function markLines({ marks, delivery }: Task): readonly string[] {
  if (marks === null || ['discarded', 'merged', 'pr_open', 'pr_merged'].includes(delivery)) return []
  return marks.map(({ rule, text }) => hang(`${rule}: ${text}`, 4))
}
