import { z } from 'zod'
import { left } from '../../domain/budget.ts'
import { riskSchema } from '../../domain/schemas.ts'
import type { Task, TaskEvent } from '../../domain/task.ts'
import type { Paint } from '../terminal.ts'
import { duration, hang, plain } from './text.ts'

type Tone = (text: string, paint: Paint) => string

const quiet: Tone = (text, paint) => `  ${paint.dim(text)}`
const good: Tone = (text, paint) => `  ${paint.green('✔')} ${text}`
const bad: Tone = (text, paint) => `  ${paint.red('✖')} ${text}`
const warn: Tone = (text, paint) => `  ${paint.yellow('!')} ${text}`
const kept: Tone = (text, paint) => `  ${paint.cyan('●')} ${text}`
const said: Tone = (text, paint) => `  ${paint.magenta('»')} ${text}`

const tones: Readonly<Record<string, Tone>> = {
  checkpointed: kept,
  salvaged: kept,
  postponed: warn,
  handed_over: good,
  answered: kept,
  violated: bad,
  failed: bad,
  halted: warn,
  budget_spent: warn,
  lost: warn,
  requeued: warn,
  approved: said,
  rejected: said,
  suggested: said,
  steered: said,
  stopped: said,
  paused: said,
  resumed: said,
  discarded: said,
  merge_decided: said,
  pull_decided: said,
  undo_decided: said,
  reviewed: said,
  review_withdrawn: said,
  superseded: said,
  given_back: said,
  merged: good,
  undone: good,
  merge_refused: warn,
  pull_opened: good,
  pull_merged: good,
  pull_closed: warn,
  pull_looked: warn,
  pull_refused: warn,
  undo_refused: warn,
  merge_overtaken: warn,
  put_away: quiet,
}

/** An event as lines. A step of the agent gets a heading with what is left of the budget. */
export function eventLines(event: TaskEvent, task: Task, paint: Paint): readonly string[] {
  if (event.type === 'begun' && event.data['kind'] === 'agent') {
    return ['', heading(event, task, paint)]
  }
  const tone = toneOf(event)
  return [...tone(hang(event.text, 4), paint).split('\n'), ...approvedLines(event, paint)]
}

const askedFor = z.object({ risks: z.array(riskSchema) })

/** What a rule would have asked about in an act of a person, who has approved it by that act. */
export function approvedLines(event: TaskEvent, paint: Paint): readonly string[] {
  const { data, success } = askedFor.safeParse(event.data)
  if (!success || (event.type !== 'resumed' && event.type !== 'steered')) return []
  return data.risks.flatMap(({ rule, text }) =>
    warn(hang(`Approved with it (${rule}): ${text}`, 4), paint).split('\n'),
  )
}

function toneOf(event: TaskEvent): Tone {
  if (event.type === 'tested' && event.data['passed'] === true) return good
  if (event.type === 'tested' && event.data['passed'] === false) return bad
  return tones[event.type] ?? quiet
}

function heading(event: TaskEvent, task: Task, paint: Paint): string {
  const attempt = event.attempt === 1 ? '' : `, attempt ${event.attempt}`
  const rest = paint.dim(`${duration(left(task).ms)} left`)
  return `${paint.bold(`Step ${event.step}/${task.budget.steps}`)}${attempt}  ${rest}`
}

/** A line that a box printed. */
export function outputLine(box: string, line: string, paint: Paint): string {
  return paint.dim(`    ${plain(box)} │ ${line}`)
}
