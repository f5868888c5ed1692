import type { Checkpoint, Task } from '../task.ts'
import type { MergeWay } from './merge.ts'
import { beginning, harmless, harmlessText } from './quoting.ts'

// Commits go wherever a repository is pushed, and forges read their messages: the goal stands in them as it does in a pull
// request, without the secrets that are known and referring to nothing.

/** Subject line length that tools show whole. */
const subjectLength = 72
const bodyLength = 4000

/** Takes out of a text what is secret. */
export type Redact = (text: string) => string

/** The message of a checkpoint's commit: the goal's first line, and trailers that lead back to the task. */
export function checkpointMessage(
  { id, goal }: Pick<Task, 'id' | 'goal'>,
  { step, attempt }: Pick<Checkpoint, 'step' | 'attempt'>,
  redact: Redact,
): string {
  const { subject } = told(id, redact(goal))
  return `${subject}\n\nCofferdam-Task: ${id}\nCofferdam-Step: ${step}\nCofferdam-Attempt: ${attempt}\n`
}

/** The message of the commit that brings a task's work into a branch. Of a squash it is all that tells of the task. */
export function mergeMessage(
  { id, goal, branch, outcome, spent }: Pick<Task, 'id' | 'goal' | 'branch' | 'outcome' | 'spent'>,
  into: string,
  how: MergeWay,
  redact: Redact,
): string {
  const { subject, rest, all } = told(id, redact(goal))
  const isSquash = how === 'squash'
  const body = isSquash ? rest : all
  const tested = outcome === 'tested' ? 'tested' : 'untested'
  return [
    isSquash ? subject : `Merge ${branch} into ${into}`,
    '',
    ...(body === '' ? [] : [beginning(body, bodyLength), '']),
    `Cofferdam-Task: ${id}`,
    `Cofferdam-Steps: ${spent.steps}, ${tested}`,
    '',
  ].join('\n')
}

/** A goal, its first line as a subject and what comes after that line. */
function told(id: Task['id'], goal: string): Readonly<Record<'subject' | 'rest' | 'all', string>> {
  const all = harmlessText(goal)
  const [first = '', ...rest] = goal.trim().split('\n')
  const subject = beginning(harmless(first), subjectLength)
  return {
    subject: subject === '' ? `Task ${id}` : subject,
    rest: harmlessText(rest.join('\n')),
    all,
  }
}
