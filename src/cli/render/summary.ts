import { isByName } from '../../domain/remote.ts'
import { quoted } from '../../domain/shell.ts'
import type { Status, Task } from '../../domain/task.ts'
import { deliverySaid } from '../../domain/standing.ts'
import { counted } from '../../domain/text.ts'
import type { Paint } from '../terminal.ts'
import { markLines, marksTitle } from './marks.ts'
import { nextCommands, type Spell } from './next.ts'
import { respelled } from './respelled.ts'
import { columns, duration, hang, plain } from './text.ts'

/** How a task ended, where its work is, and what to do next. `bare`: its repository has nothing checked out. */
export function summaryLines(task: Task, spell: Spell, paint: Paint, bare: boolean): readonly string[] {
  const cost = `${counted(task.spent.steps, 'step')}, ${duration(task.spent.ms)}`
  return [
    '',
    `${badge(task, paint)}  ${hang(respelled(task.halt?.text ?? outcome(task), spell), 2)}`,
    ...columns([['used', cost], ...work(task, spell, bare)], 2),
    ...reviewLines(task),
    ...answerLines(task),
    ...nextLines(task, spell),
  ]
}

function reviewLines(task: Task): readonly string[] {
  const lines = markLines(task)
  return lines.length === 0 ? [] : ['', `${marksTitle}:`, ...lines.map((line) => `  ${line}`)]
}

/** What a question came to; empty where it has come to nothing. */
export function answerLines({ answer }: Task): readonly string[] {
  if (answer === null) return []
  return [
    '',
    'Answer:',
    ...plain(answer)
      .trim()
      .split('\n')
      .map((line) => `  ${line}`),
  ]
}

/** Of a command with words beside it, characters. */
const longest = 90

/** What can be done next, as lines; empty where nothing can. */
export function nextLines(task: Task, spell: Spell): readonly string[] {
  const next = nextCommands(task, spell)
  if (next.length === 0) return []
  return [
    '',
    'Next:',
    ...columns(
      // A long command stands below what it is good for, and does not push the others' words away.
      next.flatMap(({ command, what }) =>
        command.length > longest ? [[`# ${what}:`], [command]] : [[command, what]],
      ),
    ).map((line) => `  ${line}`),
  ]
}

const hues = {
  APPLIED: 'green',
  FAILED: 'red',
  DRAFT: 'yellow',
  BLOCKED: 'yellow',
  TIMEOUT: 'yellow',
  STOPPED: 'yellow',
  REJECTED: 'yellow',
  PENDING: 'cyan',
  RUNNING: 'cyan',
  VALIDATING: 'cyan',
} as const satisfies Record<Status, keyof Paint>

export function badge(task: Task, paint: Paint): string {
  const how = task.outcome === 'untested' ? ' (untested)' : isAnswered(task) ? ' (answered)' : ''
  const text = `${task.status}${how}`
  return paint.bold(paint[hues[task.status]](text))
}

/** Its work is where somebody wanted it, or proposed for it. */
const isElsewhere: ReadonlySet<Task['delivery']> = new Set<Task['delivery']>([
  'merged',
  'pr_open',
  'pr_merged',
])

const isAnswered = ({ kind, status }: Task): boolean => kind === 'question' && status === 'APPLIED'

function outcome(task: Task): string {
  if (task.status === 'DRAFT') return 'It waits for a person.'
  if (task.status !== 'APPLIED') return 'It goes on.'
  if (isAnswered(task)) return 'The question is answered, and nothing was changed.'
  const last = deliverySaid(task)
  if (last !== null) return plain(last)
  return task.outcome === 'untested'
    ? 'No test command was given, so nothing has tested it.'
    : 'The tests pass.'
}

function work(task: Task, spell: Spell, bare: boolean): readonly (readonly string[])[] {
  if (task.head === task.base.commit) return []
  const look = ['changes', spell(`task diff ${task.id}`)]
  if (task.status !== 'APPLIED') return [look]
  const where = isByName(task.repository.path) ? 'the mirror of ' : ''
  const branch = ['branch', hang(`${task.branch} in ${where}${task.repository.path}`, 0)]
  if (isElsewhere.has(task.delivery)) return [branch, look]
  if (isByName(task.repository.path))
    return [branch, look, ['apply', `${spell(`task diff ${task.id}`)} | git apply  # in a clone of it`]]
  const path = quoted(task.repository.path)
  const git = `git -C ${path}`
  return [
    branch,
    look,
    ['commits', `${git} log --oneline ${task.base.commit.slice(0, 10)}..${task.branch}`],
    bare
      ? ['pull', `git pull ${path} ${task.branch}  # in a clone of it`]
      : ['by hand', `${git} merge ${task.branch}`],
  ]
}
