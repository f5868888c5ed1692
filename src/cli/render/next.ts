import type { Task } from '../../domain/task.ts'
import { possibleActs } from '../../domain/transition/apply.ts'

/** A command that a person can give now, and what it is good for. */
export interface Suggestion {
  readonly command: string
  readonly what: string
}

/** How a command of this program is written here, with the options that lead to the same data folder. */
export type Spell = (command: string) => string

/** Wraps an argument so that a shell takes it as it stands. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** What a person can do next with a task, most useful first. */
export function nextCommands(task: Task, spell: Spell): readonly Suggestion[] {
  const acts = possibleActs(task)
  const on = (act: string, more = ''): string => spell(`task ${act} ${task.id}${more}`)
  const offers: readonly (Suggestion & { readonly when: boolean })[] = [
    { when: acts.includes('approve'), command: on('approve'), what: 'agree to the reasons and run it' },
    { when: task.status === 'DRAFT', command: on('suggest', ' TEXT'), what: 'add to the goal' },
    {
      when: acts.includes('resume'),
      command: on('resume', resumeOptions(task)),
      what: 'go on from the last checkpoint',
    },
    { when: task.status === 'PENDING', command: on('watch'), what: 'work on it here' },
    {
      when: task.status === 'RUNNING' || task.status === 'VALIDATING',
      command: on('watch'),
      what: 'follow it',
    },
    {
      when: acts.includes('stop') && task.status !== 'DRAFT' && task.status !== 'BLOCKED',
      command: on('stop'),
      what: 'stop it',
    },
    { when: acts.includes('reject'), command: on('reject'), what: 'end it for good' },
    {
      when: acts.includes('discard') && task.status !== 'APPLIED',
      command: on('discard'),
      what: 'throw its work away',
    },
  ]
  return offers.filter((offer) => offer.when).map(({ command, what }) => ({ command, what }))
}

/** What a resume needs to have an effect: more budget after a timeout, a word to an agent that is stuck. */
function resumeOptions(task: Task): string {
  if (task.halt?.reason === 'steps') return ` --steps ${task.budget.steps + 4}`
  if (task.halt?.reason === 'time') return ` --minutes ${Math.ceil(task.budget.seconds / 60) + 10}`
  return task.status === 'BLOCKED' && task.halt?.reason !== 'paused' ? ' --instruction TEXT' : ''
}
