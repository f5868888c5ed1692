import { activityOf } from '../../domain/activity.ts'
import { needsPerson, type Standing, workOf } from '../../domain/standing.ts'
import type { Checkpoint, Task } from '../../domain/task.ts'
import { counted, fewOf } from '../../domain/text.ts'
import type { Doing } from '../doings.ts'
import { respelled } from '../respelled.ts'
import { cut, duration, line, moment, most, plain } from '../text.ts'
import { colours, nameOf, type Outgoing } from './message.ts'

/** How a task looks at a glance: the reaction on its status message, its colour, its word. */
export function glance(task: Standing): {
  readonly reaction: '👀' | '✅' | '⚠️' | null
  readonly colour: number
  readonly word: string
} {
  const { kind, status, halt, delivery } = task
  if (delivery === 'discarded') return { reaction: null, colour: colours.over, word: 'discarded' }
  switch (status) {
    case 'DRAFT':
      return { reaction: '⚠️', colour: colours.needsYou, word: 'waits for your decision' }
    case 'PENDING':
      return { reaction: '👀', colour: colours.underWay, word: 'queued' }
    case 'RUNNING':
      return { reaction: '👀', colour: colours.underWay, word: 'running' }
    case 'VALIDATING':
      return { reaction: '👀', colour: colours.underWay, word: 'validating' }
    case 'APPLIED':
      return kind === 'question'
        ? { reaction: '✅', colour: colours.good, word: 'answered' }
        : deliveredGlance(task)
    case 'BLOCKED':
      return {
        reaction: '⚠️',
        colour: colours.needsYou,
        word: halt?.reason === 'paused' ? 'paused' : 'blocked',
      }
    case 'FAILED':
      return { reaction: '⚠️', colour: colours.bad, word: 'failed' }
    case 'TIMEOUT':
      return { reaction: '⚠️', colour: colours.needsYou, word: 'out of budget' }
    case 'STOPPED':
      return { reaction: null, colour: colours.over, word: 'stopped' }
    case 'REJECTED':
      return { reaction: null, colour: colours.over, word: 'rejected' }
  }
}

/** Of an applied task: what has become of its work, with a name of a branch that is anybody's. */
function deliveredGlance(task: Standing): ReturnType<typeof glance> {
  const word = line(workOf(task) ?? 'applied', 200)
  if (needsPerson(task)) return { reaction: '⚠️', colour: colours.needsYou, word }
  switch (task.delivery) {
    case 'delivering':
      return { reaction: '👀', colour: colours.underWay, word }
    case 'superseded':
    case 'discarded':
      return { reaction: null, colour: colours.over, word }
    case 'none':
    case 'merged':
    case 'undone':
    case 'conflict':
    case 'rejected':
    case 'pr_closed':
    case 'pr_open':
    case 'pr_merged':
      return { reaction: '✅', colour: colours.good, word }
  }
}

/** Before what a task is about, among which there are more changes than questions: only these are named. */
export const kindOf = ({ kind }: Pick<Task, 'kind'>): string => (kind === 'question' ? '**Question**: ' : '')

export const reactions = ['👀', '✅', '⚠️'] as const

/** What a thread is called. */
export function threadName({ id, goal }: Task): string {
  return cut(plain(goal).replaceAll(/\s+/g, ' ').trim(), most.thread - id.length - 3) + ` · ${id}`
}

/**
 * The one message that shows how a task stands.
 * @param thread the task's thread where that is not beneath this message; null where it is
 * @param doing what its agent has done so far; null where none is at work
 */
export function statusMessage(
  task: Task,
  checkpoints: readonly Checkpoint[],
  thread: string | null = null,
  doing: Doing | null = null,
): Outgoing {
  const { id, kind, status, goal, repository, branch, budget, spent, step, updatedAt, halt } = task
  const { colour, word } = glance(task)
  const activity = activityOf(task)
  const now = activity === null ? '' : ` — ${activity}`
  const changed = changedOf(checkpoints)
  const field = (name: string, value: string) => ({ name, value: cut(value, most.field), inline: true })
  return {
    embeds: [
      {
        title: `${status} · ${word}`,
        color: colour,
        description: cut(
          kindOf(task) +
            line(goal, 600) +
            (halt === null ? '' : `\n\n**${halt.reason}**: ${line(respelled(halt.text), 600)}`),
          most.description,
        ),
        fields: [
          field('Repository', line(repository.path.split('/').at(-1) ?? '', 100)),
          field('Step', `${step === 0 ? 'not begun' : `${step} of ${budget.steps}`}${now}`),
          field('Time', `${duration(spent.ms)} of ${duration(budget.seconds * 1000)}`),
          ...(spent.tokens === 0
            ? []
            : [field('Tokens', `${spent.tokens}${budget.tokens === null ? '' : ` of ${budget.tokens}`}`)]),
          ...(spent.costUsd === 0 ? [] : [field('Cost', `${spent.costUsd.toFixed(2)} USD`)]),
          ...(changed === null ? [] : [field('Changed', changed)]),
          ...doingFields(doing),
          ...(status === 'APPLIED' && kind === 'change' ? [field('Branch', `\`${branch}\``)] : []),
          ...(thread === null ? [] : [field('Thread', `<#${thread}>`)]),
          field('Last activity', `${moment(updatedAt)} · started by ${nameOf(task.createdBy)}`),
        ],
        footer: { text: id },
      },
    ],
  }
}

/** The words of an agent, and of what its program says it does: what it really changed is known when it has ended. */
function doingFields(doing: Doing | null) {
  if (doing === null) return []
  const { last, paths } = doing
  return [
    ...(last === '' ? [] : [{ name: 'Agent', value: line(last, 300) || '—', inline: false }]),
    ...(paths.length === 0
      ? []
      : [{ name: 'Writes', value: line(fewOf(paths.toReversed()), 500) || '—', inline: false }]),
  ]
}

/** What the last step that was kept has changed. */
function changedOf(checkpoints: readonly Checkpoint[]): string | null {
  const stat = checkpoints.findLast(({ candidate }) => candidate !== null)?.candidate?.stat
  if (stat === undefined) return null
  return `${counted(stat.files, 'file')}, +${stat.insertions} −${stat.deletions}`
}
