import type { Command } from 'commander'
import { budgetParts } from '../../domain/budget.ts'
import { Failure } from '../../domain/failure.ts'
import type { Act } from '../../domain/control-plane.ts'
import { mergeWays } from '../../domain/delivery/merge.ts'
import { type AcceptRule, acceptRules } from '../../domain/marks/mark.ts'
import { budgetRequestSchema } from '../../domain/intake.ts'
import type { Budget } from '../../domain/task.ts'
import { budgetNumbers } from '../request.ts'
import { type ActOptions, carryOut } from './carry-out.ts'
import { common, type CommonOptions, idOf, type Shell } from './common.ts'

interface ReasonOptions extends CommonOptions {
  readonly reason?: string
}

/** The revision that was shown to whom decides. */
interface BoundOptions {
  readonly revision?: string
}

interface MergeOptions extends ActOptions {
  readonly into?: string
  readonly how?: string
  readonly accept?: string
}

interface PullOptions extends ActOptions {
  readonly into?: string
  readonly draft?: boolean
  readonly ready?: boolean
  readonly accept?: string
}

interface EndedOptions extends CommonOptions {
  readonly merged?: boolean
  readonly closed?: boolean
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

const accept = [
  '--accept <marks>',
  'the marks of the work that you accept, by their names, such as ci,lockfile',
] as const

const revision = [
  '--revision <n>',
  'decide on this revision, which was shown; where the task has another by now, nothing is done',
] as const

/** One command for each thing that a person can do with a task. */
export function actCommands(task: Command, shell: Shell): void {
  const plainAct = (name: 'pause' | 'discard', description: string): Command =>
    common(task.command(`${name} <id>`).description(description)).action(
      (id: string, options: CommonOptions & BoundOptions) =>
        carryOut(shell, idOf(id), { act: name }, { ...options, detach: true }, revisionOf(options)),
    )
  common(
    task
      .command('merge <id>')
      .description('merge the work into a branch of its repository, once what comes of it was tested'),
  )
    .option('--into <branch>', 'the branch (default: as configured, or the one that the task began from)')
    .option(`--how <way>`, `${mergeWays.join(', ')} (default: as configured, or merge)`)
    .option(...accept)
    .option(...revision)
    .option(...detach)
    .action((id: string, options: MergeOptions & BoundOptions) =>
      carryOut(shell, idOf(id), mergeOf(options), options, revisionOf(options)),
    )
  common(
    task
      .command('pull-request <id>')
      .description('push the work, and propose it as a pull request where the configuration says'),
  )
    .option(
      '--into <branch>',
      'the branch there (default: as configured, or the one that the task began from)',
    )
    .option('--draft', 'as a draft (default: as configured, or a draft)')
    .option('--ready', 'not as a draft')
    .option(...accept)
    .option(...revision)
    .option(...detach)
    .action((id: string, options: PullOptions & BoundOptions) =>
      carryOut(shell, idOf(id), pullOf(options), options, revisionOf(options)),
    )
  common(task.command('undo <id>').description('put the branch back to where it was before the merge'))
    .option(...revision)
    .option(...detach)
    .action((id: string, options: ActOptions & BoundOptions) =>
      carryOut(shell, idOf(id), { act: 'undo' }, options, revisionOf(options)),
    )
  common(
    task
      .command('pull-ended <id>')
      .description('say what has become of an open pull request, where its forge cannot be asked'),
  )
    .option('--merged', 'it was merged there')
    .option('--closed', 'it was closed there, and not merged')
    .option(...revision)
    .action((id: string, options: EndedOptions & BoundOptions) =>
      carryOut(shell, idOf(id), endedOf(options), { ...options, detach: true }, revisionOf(options)),
    )
  const withReason = (name: 'stop' | 'reject', description: string): Command =>
    common(task.command(`${name} <id>`).description(description))
      .option('--reason <text>', 'kept with the task')
      .action((id: string, options: ReasonOptions & BoundOptions) =>
        carryOut(
          shell,
          idOf(id),
          { act: name, text: options.reason ?? null },
          { ...options, detach: true },
          revisionOf(options),
        ),
      )
  common(task.command('approve <id>').description('agree to the reasons of a DRAFT, and follow it'))
    .option(...revision)
    .option(...detach)
    .action((id: string, options: ActOptions & BoundOptions) =>
      carryOut(shell, idOf(id), { act: 'approve' }, options, revisionOf(options)),
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
      carryOut(shell, idOf(id), { act: 'suggest', text: said(text) }, options, revisionOf(options)),
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
  plainAct('discard', 'throw the undelivered work of a task away').option(...revision)
}

function mergeOf({ into, how, accept }: MergeOptions): Act {
  const way = mergeWays.find((each) => each === how) ?? null
  if (how !== undefined && way === null)
    throw new Failure('bad_request', `--how takes one of ${mergeWays.join(', ')}, not ${how}.`)
  return { act: 'merge', into: into ?? null, how: way, accept: rulesIn(accept) }
}

function pullOf({ into, draft, ready, accept }: PullOptions): Act {
  if (draft === true && ready === true) throw new Failure('bad_request', 'Name --draft or --ready, not both.')
  const wanted = draft === true ? true : ready === true ? false : null
  return { act: 'pull-request', into: into ?? null, draft: wanted, accept: rulesIn(accept) }
}

function endedOf({ merged = false, closed = false }: EndedOptions): Act {
  if (merged === closed) throw new Failure('bad_request', 'Name --merged or --closed, one of them.')
  return { act: 'pull-ended', as: merged ? 'merged' : 'closed' }
}

function rulesIn(accept = ''): readonly AcceptRule[] {
  const named = accept.split(/[\s,]+/).filter((word) => word !== '')
  const strange = named.find((word) => !acceptRules.some((rule) => rule === word))
  if (strange === undefined) return acceptRules.filter((rule) => named.includes(rule))
  throw new Failure('bad_request', `There is no mark ${strange}: --accept takes ${acceptRules.join(', ')}.`)
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
