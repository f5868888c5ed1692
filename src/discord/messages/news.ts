import type { Members } from '../../domain/discord.ts'
import type { Actor, Checkpoint, Task } from '../../domain/task.ts'
import { moreNeeded } from '../../domain/budget.ts'
import { canFollowUp } from '../../domain/question/follow-up.ts'
import { needsPerson } from '../../domain/standing.ts'
import { counted } from '../../domain/text.ts'
import { possibleActs } from '../../domain/transition/apply.ts'
import { toldEvent } from '../../domain/retold.ts'
import { respelled } from '../respelled.ts'
import { cut, escaped, line, most, plain, tailBlock } from '../text.ts'
import { shownAnswer } from './answer.ts'
import { fitted } from './fitted.ts'
import { glance } from './status.ts'
import { mentions, nameOf, nobody, type Outgoing, type SentFile } from './message.ts'

/** What is known of an event when it is told; the task may have moved on since. */
export interface News {
  readonly seq: number
  /** The task's, as the event left it. */
  readonly revision: number
  readonly type: string
  readonly status: Task['status']
  readonly text: string
  readonly actor: Actor
}

/** What comes of a delivery; the work itself was told of before. */
export const ofDelivery: ReadonlySet<string> = new Set([
  'merged',
  'merge_refused',
  'undone',
  'undo_refused',
  'pull_opened',
  'pull_refused',
  'pull_merged',
  'pull_closed',
])

export interface Reporting {
  /** Who is pinged where it needs somebody. */
  readonly people: Members
  /** Of an applied task; '' where there is none. */
  readonly diff: string
  /** Of its footer. */
  readonly mark: string
  /** Whether the diff may come with it as a file. */
  readonly attaches: boolean
  /** Whether plain messages are heard. */
  readonly replies: boolean
}

/** A phone opens it, and a slow line carries it: letters of a diff that comes with a message. */
const mostDiff = 1_000_000
/** Of an answer in a message, letters: an embed has room for little more. */
const mostAnswer = 3500

/** What happened, with what can be done now; the end of a failing test where one failed. */
export function newsMessage(
  task: Task,
  news: News,
  checkpoints: readonly Checkpoint[],
  { people, diff, mark, attaches, replies }: Reporting,
): Outgoing {
  const { id, goal, kind } = task
  const then = { ...task, status: news.status }
  const { colour, word } = glance(then)
  const test = checkpoints.at(-1)?.test ?? null
  const failing = news.status !== 'APPLIED' && test?.passed === false ? test.tail : null
  const isDelivery = ofDelivery.has(news.type)
  const wants = isDelivery
    ? news.type.endsWith('_refused') || news.type === 'pull_closed'
    : news.status === 'APPLIED' || needsPerson({ kind, status: news.status, delivery: 'none' })
  const pings = wants && news.actor.kind !== 'discord' ? people : nobody
  const isNew = news.status === 'APPLIED' && !isDelivery
  const stat = statOf(checkpoints)
  const untested = isNew && task.outcome === 'untested'
  const answer = news.status === 'APPLIED' ? task.answer : null
  const attached = fitted(diff, mostDiff)
  const answerFile = answer === null ? null : fileOf(task, answer)
  const parts = [
    ...(answer === null ? [line(toldEvent(news, respelled), 1200)] : [shownAnswer(answer, mostAnswer)]),
    ...(answerFile === null
      ? []
      : [
          attaches
            ? 'All of it is attached.'
            : `It could not be attached: \`cofferdam task show ${id}\` has all of it.`,
        ]),
    ...(untested ? ['**Untested**: it has no test command.'] : []),
    ...(isNew && stat !== null ? [`Branch \`${task.branch}\`: ${stat}.`] : []),
    ...(isNew ? marked(task) : []),
    ...(diff === '' || (attaches && !attached.isCut)
      ? []
      : [
          attaches
            ? `The diff is cut: \`/task_changes task:${id}\` has more of it.`
            : `The diff could not be attached: \`/task_changes task:${id}\` has it.`,
        ]),
    ...(failing === null ? [] : ['The end of the failing test:', tailBlock(failing, 1500)]),
  ]
  const files: SentFile[] = attaches
    ? [
        ...(diff === '' ? [] : [{ name: `${id}.diff`, text: attached.text }]),
        ...(answerFile === null ? [] : [answerFile]),
      ]
    : []
  return {
    content: cut(mentions(pings), most.content),
    pings,
    embeds: [
      {
        title: cut(`${news.status} · ${word}`, 256),
        color: colour,
        description: cut(parts.join('\n\n'), most.description),
        fields: [
          { name: kind === 'question' ? 'Question' : 'Goal', value: line(goal, 200) || '—' },
          ...(news.status === task.status
            ? [{ name: 'What you can do', value: cut(nextSteps(task, replies), most.field) }]
            : []),
          ...(news.actor.kind === 'system' ? [] : [{ name: 'By', value: nameOf(news.actor) }]),
        ],
        footer: { text: mark },
      },
    ],
    files,
  }
}

/** An answer as it was given, where a message does not hold it. */
function fileOf({ id }: Task, answer: string): SentFile | null {
  const text = plain(answer)
  return text.length <= mostAnswer && escaped(text).length <= mostAnswer ? null : { name: `${id}.md`, text }
}

function statOf(checkpoints: readonly Checkpoint[]): string | null {
  const kept = checkpoints.filter(({ candidate, commit }) => candidate !== null && commit !== null)
  if (kept.length === 0) return null
  const sum = (part: 'insertions' | 'deletions'): number =>
    kept.reduce((all, { candidate }) => all + (candidate?.stat[part] ?? 0), 0)
  const files = new Set(kept.flatMap(({ candidate }) => candidate?.paths ?? [])).size
  return `${counted(Math.max(files, kept.at(-1)?.candidate?.stat.files ?? 0), 'file')}, +${sum('insertions')} −${sum('deletions')}, in ${counted(kept.length, 'step')}`
}

function marked({ marks }: Task): readonly string[] {
  if (marks === null || marks.length === 0) return []
  return [
    `To be looked at before it is merged:\n${marks.map(({ text }) => `• ${line(text, 200)}`).join('\n')}`,
  ]
}

/** What makes sense now, as it is typed here. `replies`: whether plain messages are heard. */
export function nextSteps(task: Task, replies: boolean): string {
  const { id } = task
  const needed = moreNeeded(task)
  const more = needed === null ? '' : ` ${needed.option}:${needed.amount}`
  const acts = possibleActs(task)
  const lines = [
    ...(canFollowUp(task)
      ? [
          replies
            ? 'Reply in its thread to ask more.'
            : `\`/ask follow_up:${id}\` asks more, in the same conversation.`,
        ]
      : []),
    ...(acts.includes('merge')
      ? [
          `\`/task_changes task:${id}\` shows the diff; merge the branch \`${task.branch}\` where you want it.`,
          `\`/task_merge task:${id}\` does that here, once what comes of it was tested.`,
        ]
      : []),
    ...(acts.includes('pull-ended') && task.pull?.unfollowed != null
      ? [`\`/task_pull_ended task:${id} as:merged\` (or \`as:closed\`) says what became of its pull request.`]
      : []),
    ...(acts.includes('undo') ? [`\`/task_undo task:${id}\` takes it out again.`] : []),
    ...(acts.includes('approve') ? [`\`/task_approve task:${id}\` runs it.`] : []),
    ...(acts.includes('resume')
      ? [
          replies && more === ''
            ? `Reply in its thread to go on with a word for the agent, or \`/task_resume task:${id}\`.`
            : `\`/task_resume task:${id}${more}\` goes on.`,
        ]
      : []),
    ...(acts.includes('steer')
      ? [
          replies
            ? 'Reply in its thread: the next prompt carries it.'
            : `\`/task_suggest task:${id}\`: the next prompt carries it.`,
        ]
      : []),
    ...(acts.includes('stop') ? [`\`/task_stop task:${id}\` ends it.`] : []),
    ...(task.step > 0 ? [`\`/task_logs task:${id}\` has what its boxes printed.`] : []),
  ]
  return lines.length === 0 ? 'Nothing more.' : lines.join('\n')
}
