import type { Command } from 'commander'
import type { Act } from '../../domain/control-plane.ts'
import { budgetParts } from '../../domain/budget.ts'
import { Failure } from '../../domain/failure.ts'
import type { TaskId } from '../../domain/ids.ts'
import { budgetRequestSchema } from '../../domain/intake.ts'
import { type Budget, isWorking, type Task, type TaskEvent } from '../../domain/task.ts'
import { actOnce } from '../act-once.ts'
import type { Exit } from '../exit.ts'
import { Connection } from '../connection.ts'
import { interrupts } from '../interrupt.ts'
import { pursue } from '../pursue.ts'
import { budgetNumbers } from '../request.ts'
import { draftLines } from '../render/draft.ts'
import { approvedLines } from '../render/progress.ts'
import { quoted } from '../render/next.ts'
import { respelled } from '../render/respelled.ts'
import { nextLines } from '../render/summary.ts'
import { plain } from '../render/text.ts'
import { openReporter } from '../reporter.ts'
import {
  common,
  type CommonOptions,
  idOf,
  print,
  printJson,
  type Shell,
  speller,
  targetOf,
} from './common.ts'

interface ActOptions extends CommonOptions {
  readonly detach?: true
}

interface ReasonOptions extends CommonOptions {
  readonly reason?: string
}

/** The revision that was shown to whom decides. */
interface BoundOptions {
  readonly revision?: string
}

interface ResumeOptions extends ActOptions {
  readonly instruction?: string
  readonly steps?: string
  readonly minutes?: string
  readonly tokens?: string
  readonly cost?: string
}

const detach = [
  '--detach',
  'return at once; a process that works on the data folder, such as `cofferdam serve`, goes on with the task',
] as const

const revision = [
  '--revision <n>',
  'decide on this revision, which was shown; where the task has another by now, nothing is done',
] as const

/** One command for each thing that a person can do with a task. */
export function actCommands(task: Command, shell: Shell): void {
  const plainAct = (name: 'pause' | 'discard', description: string): void => {
    common(task.command(`${name} <id>`).description(description)).action(
      (id: string, options: CommonOptions) =>
        carryOut(shell, idOf(id), { act: name }, { ...options, detach: true }),
    )
  }
  const withReason = (name: 'stop' | 'reject', description: string): Command =>
    common(task.command(`${name} <id>`).description(description))
      .option('--reason <text>', 'kept with the task')
      .action((id: string, options: ReasonOptions & BoundOptions) =>
        carryOut(shell, idOf(id), { act: name, text: options.reason ?? null }, { ...options, detach: true }),
      )
  common(task.command('approve <id>').description('agree to the reasons of a DRAFT, and follow it'))
    .option(...revision)
    .option(...detach)
    .action((id: string, options: ActOptions & BoundOptions) =>
      carryOut(shell, idOf(id), { act: 'approve' }, options),
    )
  withReason('reject', 'end a DRAFT or a BLOCKED task for good').option(...revision)
  common(
    task
      .command('suggest <id> <text>')
      .description('add to the goal of a DRAFT, or resume a halted task with a word'),
  )
    .option(...revision)
    .option(...detach)
    .action((id: string, text: string, options: ActOptions & BoundOptions) =>
      carryOut(shell, idOf(id), { act: 'suggest', text: said(text) }, options),
    )
  common(
    task.command('steer <id> <text>').description('tell a running task something, for its next prompt'),
  ).action((id: string, text: string, options: CommonOptions) =>
    carryOut(shell, idOf(id), { act: 'steer', text: said(text) }, { ...options, detach: true }),
  )
  common(task.command('resume <id>').description('go on with a halted task, and follow it'))
    .option('--instruction <text>', 'a word for the next prompt')
    .option('--steps <n>', 'a new limit of steps, counting those already used')
    .option('--minutes <n>', 'a new limit of minutes, counting those already used')
    .option('--tokens <n>', 'a new limit of model tokens, counting those already used')
    .option('--cost <usd>', 'a new limit of US dollars, counting those already spent')
    .option(...detach)
    .action((id: string, options: ResumeOptions) => {
      const instruction = options.instruction === undefined ? null : said(options.instruction)
      return carryOut(shell, idOf(id), { act: 'resume', instruction, budget: budgetOf(options) }, options)
    })
  withReason('stop', 'stop a task; what it has done is kept')
  plainAct('pause', 'hold a task; resume goes on')
  plainAct('discard', 'throw the undelivered work of a task away')
}

async function carryOut(
  shell: Shell,
  id: TaskId,
  act: Act,
  options: ActOptions & BoundOptions,
): Promise<void> {
  const { world } = shell
  const decidedOn = revisionOf(options)
  await using connection = await Connection.visit(targetOf(shell, options, `task ${act.act}`))
  const shown = await connection.persist((client) => client.task(id))
  if (act.act === 'approve' && shown.status === 'DRAFT' && options.json !== true) {
    const changed = decidedOn !== undefined && decidedOn !== shown.revision
    print(world, [changed ? `Task ${id} as it is now:` : `Approving task ${id}:`, ...draftLines(shown)])
  }
  // What is decided about a draft is bound to what it says; a halted task still moves while its work is put away.
  const bound = decidedOn ?? (shown.status === 'DRAFT' ? shown.revision : undefined)
  const task = await actOnce(connection, shown, act, bound)
  const goesOn = task.status === 'PENDING' || isWorking(task)
  shell.end(
    goesOn && options.detach !== true
      ? await goOn(shell, connection, task, shown.version, options)
      : told(shell, act, task, await approvals(connection, act, shown), options),
  )
  if (task.status === 'PENDING' && options.detach === true && connection.isHere && options.json !== true) {
    const spell = speller(options)
    print(world, [
      `No process works on it yet: \`${spell(`task watch ${id}`)}\` or \`${spell('serve')}\` does.`,
    ])
  }
}

/** The event of an act that a rule reads; of the others there is nothing to tell. */
async function approvals(connection: Connection, { act }: Act, shown: Task): Promise<readonly TaskEvent[]> {
  if (act !== 'resume' && act !== 'suggest' && act !== 'steer') return []
  return await connection.persist((client) => client.events(shown.id, shown.version))
}

/** Follows the task from its event `after` on. */
async function goOn(
  { world }: Shell,
  connection: Connection,
  task: Task,
  after: number,
  options: CommonOptions,
): Promise<Exit> {
  const spell = speller(options)
  using reporter = openReporter(world, spell, options.json === true)
  using ways = interrupts(world, reporter)
  reporter.task(task, [])
  const pursuit = { world, connection, reporter, spell, ways, yes: false, quiet: true, mine: true, after }
  return await pursue(pursuit, task)
}

/** The act is done, whatever the state of the task is now. */
function told(
  { world }: Shell,
  act: Act,
  task: Task,
  events: readonly TaskEvent[],
  options: CommonOptions,
): Exit {
  if (options.json === true) {
    printJson(world, { task })
    return 'done'
  }
  const lines = act.act === 'discard' ? [] : nextLines(task, speller(options))
  const approved = events.flatMap((event) => approvedLines(event, world.terminal.paint))
  print(world, [
    `Task ${task.id} is ${respelled(stateAfter(act, task), speller(options))}`,
    ...approved,
    ...lines,
  ])
  return 'done'
}

function stateAfter(act: Act, task: Task): string {
  if (act.act === 'discard') return `discarded. ${branchAfter(task)}`
  if (act.act === 'steer') return `${task.status}. The next prompt says so.`
  return task.halt === null ? `${task.status}.` : `${task.status}. ${plain(task.halt.text)}`
}

/** What a repository has been given stays there. Validated work may have reached it without being recorded as applied. */
function branchAfter({ status, outcome, branch, repository }: Task): string {
  if (status !== 'APPLIED' && outcome === null) return 'Your repository has no branch of it.'
  const git = `git -C ${quoted(repository.path)} branch -D ${quoted(branch)}`
  const where = plain(repository.path)
  return status === 'APPLIED'
    ? `A branch ${branch} stays in ${where}: \`${git}\` removes it.`
    : `${where} may have a branch ${branch}: \`${git}\` removes it.`
}

function revisionOf({ revision: text }: BoundOptions): number | undefined {
  if (text === undefined) return undefined
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new Failure('bad_request', `--revision takes the number that was shown, not ${text}.`)
}

function said(text: string): string {
  if (text.trim() !== '') return text
  throw new Failure('bad_request', 'The text is empty: say something, in quotes.')
}

function budgetOf(options: ResumeOptions): Partial<Budget> | null {
  const wanted = budgetNumbers(options)
  if (Object.keys(wanted).length === 0) return null
  const parsed = budgetRequestSchema.safeParse(wanted)
  if (parsed.success) return budgetParts(parsed.data)
  throw new Failure('bad_request', parsed.error.issues.map((issue) => issue.message).join(' '))
}
