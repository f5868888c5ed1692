import type { Task } from '../task.ts'
import type { MergeWay } from './merge.ts'

/** Subject line length that tools show whole. */
const subjectLength = 72

/** The message of the commit that brings a task's work into a branch. Of a squash it is all that tells of the task. */
export function mergeMessage(
  { id, goal, branch, outcome, spent }: Pick<Task, 'id' | 'goal' | 'branch' | 'outcome' | 'spent'>,
  into: string,
  how: MergeWay,
): string {
  const [first = '', ...rest] = goal.trim().split('\n')
  const subject = how === 'squash' ? shortened(first.trim(), subjectLength) : `Merge ${branch} into ${into}`
  const body = how === 'squash' ? rest.join('\n').trim() : goal.trim()
  const tested = outcome === 'tested' ? 'tested' : 'untested'
  return [
    subject,
    '',
    ...(body === '' ? [] : [shortened(body, 4000), '']),
    `Cofferdam-Task: ${id}`,
    `Cofferdam-Steps: ${spent.steps}, ${tested}`,
    '',
  ].join('\n')
}

function shortened(text: string, length: number): string {
  const letters = Array.from(text)
  return letters.length <= length ? text : `${letters.slice(0, length - 1).join('')}…`
}
