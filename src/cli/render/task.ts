import { activityOf } from '../../domain/activity.ts'
import { parseAttestation, type SignedAttestation } from '../../domain/attestation.ts'
import { pullName } from '../../domain/delivery/pull.ts'
import { quoted } from '../../domain/shell.ts'
import { workOf } from '../../domain/standing.ts'
import type { Checkpoint, Spent, Task, TaskEvent, Terms } from '../../domain/task.ts'
import { openReviews, reviewText } from '../../domain/review/review.ts'
import { deliverySaid } from '../../domain/standing.ts'
import { laidOpen } from '../../domain/laid-open.ts'
import { counted } from '../../domain/text.ts'
import { mayBeSuperseded } from '../../domain/transition/apply.ts'
import { unbegun } from '../../domain/unbegun.ts'
import type { Paint } from '../terminal.ts'
import { markLines, marksTitle } from './marks.ts'
import type { Spell } from './next.ts'
import { toldEvent } from '../../domain/retold.ts'
import { respelled } from './respelled.ts'
import { answerLines, badge, nextLines } from './summary.ts'
import { columns, duration, firstLine, hang, moment, plain } from './text.ts'

/** All that there is to show of one task. */
export interface Shown {
  readonly task: Task
  readonly checkpoints: readonly Checkpoint[]
  readonly attestations: readonly SignedAttestation[]
  readonly events: readonly TaskEvent[]
}

/** All that a person wants to know about one task. */
export function taskLines(shown: Shown, spell: Spell, paint: Paint): readonly string[] {
  const { task, checkpoints, attestations, events } = shown
  return [
    `Task ${task.id}  ${badge(task, paint)}`,
    ...standing(task, spell),
    '',
    ...columns(facts(task), 2),
    ...section(
      'Reasons to ask a person',
      task.status === 'DRAFT' ? task.risks.map(({ rule, text }) => hang(`${rule}: ${text}`, 4)) : [],
    ),
    ...answerLines(task),
    ...section(marksTitle, markLines(task)),
    ...section('Steps', columns(checkpoints.filter((row) => row.step > 0).map(stepRow))),
    ...section('Attestations', columns(attestations.map(attestationRow))),
    ...section(
      'Events',
      events.flatMap((event) => eventRows(event, spell)),
    ),
    ...section('Said of its work, by the numbers that review --withdraw takes', columns(saidRows(shown))),
    ...nextLines(task, spell),
  ]
}

/** At most so many lines of what an agent left say why it failed: the last, with which programs end. */
const mostLast = 5

function eventRows(event: TaskEvent, spell: Spell): readonly string[] {
  const told = toldEvent(event, (text) => respelled(text, spell))
  const further = event.type === 'agent_finished' ? plain(told).trim().split('\n').slice(1) : []
  return [
    `${moment(event.at)}  ${firstLine(told, 200)}`,
    ...further.slice(-mostLast).map((line) => `    ${firstLine(line, 200)}`.trimEnd()),
  ]
}

/** What can be taken back. */
function saidRows({ task, events }: Shown): readonly (readonly string[])[] {
  if (!mayBeSuperseded(task)) return []
  return openReviews(events).map(({ seq, said }) => [
    `${seq}`,
    firstLine(reviewText([said], null).replace(/^- /, ''), 160),
  ])
}

/** Why it rests. Of a discarded task nothing of that can be mended any more. */
function standing(task: Task, spell: Spell): readonly string[] {
  const { delivery, halt } = task
  const said = deliverySaid(task)
  if (delivery === 'discarded') return ['  discarded: its work is gone.']
  if (said !== null) return [`  ${hang(plain(said), 2)}`]
  return halt === null ? [] : [`  ${halt.reason}: ${hang(respelled(halt.text, spell), 2)}`]
}

function facts(task: Task): readonly (readonly string[])[] {
  const now = activityOf(task)
  return [
    ...(now === null ? [] : [['now', now]]),
    [task.kind === 'question' ? 'question' : 'goal', hang(laidOpen(task.goal), 0)],
    ...(task.parentTaskId === null
      ? []
      : [[task.kind === 'question' ? 'follows up' : 'changes task', task.parentTaskId]]),
    ['repository', hang(task.repository.path, 0)],
    ['base', baseText(task)],
    ...(task.kind === 'question' ? [] : [['branch', task.branch]]),
    ...termsRows(task, task.spent),
    ...deliveryRow(task),
  ]
}

export const baseText = ({ base }: Pick<Terms, 'base'>): string =>
  firstLine(`${base.ref} at ${base.commit.slice(0, 10)}`, 200)

/** The most of a command that is shown, characters: more than is written by hand. */
const mostOfCommand = 2000

/** A command as it is run, with all of its lines. */
function whole(command: string): string {
  const letters = Array.from(laidOpen(command))
  const more = letters.length - mostOfCommand
  const shown = more <= 0 ? letters : letters.slice(0, mostOfCommand)
  return hang(`${shown.join('')}${more <= 0 ? '' : `… (${more} more characters: --json has all of it)`}`, 0)
}

/** What is run, and within which budget. @param spent of that budget; null where there is no task yet */
export function termsRows(terms: Terms, spent: Spent | null): readonly (readonly string[])[] {
  const { agent, kind, setup, test } = terms
  const command = (text: string | null): string => (text === null ? 'none' : whole(text))
  return [
    ['agent', whole([agent.name, ...agent.argv.map(quoted)].join(' '))],
    ...(kind === 'question'
      ? []
      : [
          ['setup', command(setup)],
          ['test', command(test)],
        ]),
    ...budgetRows(terms, spent),
  ]
}

/** What has become of its work, and where its pull request is. */
function deliveryRow(task: Task): readonly (readonly string[])[] {
  const work = workOf(task)
  if (work === null) return []
  const { delivery, pull } = task
  const where =
    pull !== null && delivery.startsWith('pr_')
      ? [pullName(pull), ...(pull.url === null ? [] : [pull.url])]
      : []
  return [['delivery', firstLine([work, ...where].join(', '), 200)]]
}

/** Of what models cost only what was spent, or is limited. */
function budgetRows({ budget }: Pick<Terms, 'budget'>, spent: Spent | null): readonly (readonly string[])[] {
  const { steps, ms, tokens, costUsd } = spent ?? unbegun.spent
  const row = (name: string, used: string, limit: string | null, unit: string): readonly string[] => {
    if (spent === null) return [name, `${limit ?? ''}${unit}`]
    return [name, `${used}${limit === null ? '' : ` of ${limit}`}${unit || ' used'}`]
  }
  return [
    row('steps', `${steps}`, `${budget.steps}`, ''),
    row('time', duration(ms), duration(budget.seconds * 1000), ''),
    ...(tokens === 0 && budget.tokens === null
      ? []
      : [row('tokens', `${tokens}`, textOf(budget.tokens), '')]),
    ...(costUsd === 0 && budget.costUsd === null
      ? []
      : [row('cost', costUsd.toFixed(4), textOf(budget.costUsd), ' USD')]),
  ]
}

const textOf = (limit: number | null): string | null => (limit === null ? null : `${limit}`)

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)]
}

function stepRow(row: Checkpoint): readonly string[] {
  const name = row.attempt === 1 ? `${row.step}` : `${row.step} (attempt ${row.attempt})`
  const took = row.endedAt === null ? 'under way' : duration(row.endedAt - row.startedAt)
  return [name, row.state, row.commit?.slice(0, 10) ?? '-', took, changeOf(row), resultOf(row)]
}

function attestationRow({ seq, body, hash }: SignedAttestation): readonly string[] {
  const read = parseAttestation(body)
  const named = hash.slice(0, 12)
  if (read === null) return [`${seq}`, named, 'cannot be read', '']
  if (read.kind === 'closing') return [`${seq}`, named, 'the record', `up to event ${read.events.upTo}`]
  if (read.kind === 'interim') return [`${seq}`, named, 'under way', `up to event ${read.events.upTo}`]
  const { step, attempt, outcome, posture } = read
  const walls = posture === null ? 'posture unknown' : `${posture.level} (${firstLine(posture.engine, 100)})`
  return [
    `${seq}`,
    named,
    attempt === 1 ? `step ${step}` : `step ${step} (attempt ${attempt})`,
    `${outcome}, ${walls}`,
  ]
}

function changeOf(row: Checkpoint): string {
  if (row.candidate === null) return ''
  const { files, insertions, deletions } = row.candidate.stat
  return row.candidate.changed ? `${counted(files, 'file')} +${insertions} −${deletions}` : 'no change'
}

function resultOf(row: Checkpoint): string {
  const first = row.violations[0]
  if (first !== undefined) return `touched ${firstLine(first.path, 60)} (rule ${firstLine(first.rule, 60)})`
  if (row.agent?.failure != null) return firstLine(row.agent.failure, 100)
  if (row.agent?.marker.state === 'BLOCKED') return `blocked: ${firstLine(row.agent.marker.blockReason, 100)}`
  if (row.test === null) return row.agent === null || row.candidate === null ? '' : 'not tested'
  return row.test.passed
    ? 'test passes'
    : `test fails (${row.test.end === 'exited' ? `exit code ${row.test.exitCode}` : row.test.end})`
}
