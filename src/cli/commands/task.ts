import type { Command } from 'commander'
import type { Client } from '../../client/client.ts'
import { Failure } from '../../domain/failure.ts'
import type { TaskId } from '../../domain/ids.ts'
import { type TaskKind, taskKinds } from '../../domain/task.ts'
import { laidOpen } from '../../domain/laid-open.ts'
import { allEvents } from '../all-events.ts'
import { withControlPlane } from '../connection.ts'
import { taskLines } from '../render/task.ts'
import { taskTable } from '../render/task-list.ts'
import { plain } from '../render/text.ts'
import { actCommands } from './act.ts'
import {
  common,
  type CommonOptions,
  idOf,
  print,
  printJson,
  type Shell,
  speller,
  tableWidth,
  targetOf,
} from './common.ts'
import { egressCommand } from './egress.ts'
import {
  isFiltered,
  pageOf,
  type PageOptions,
  pages,
  someOf,
  taskFilterOf,
  type TaskFilterOptions,
  taskFilters,
  tellMore,
} from './filters.ts'
import { reviewCommand } from './review.ts'
import { watchCommand } from './watch.ts'

interface ListOptions extends CommonOptions, TaskFilterOptions, PageOptions {
  readonly kind?: string
}

interface StepOptions extends CommonOptions {
  readonly step?: string
  readonly against?: string
}

export function taskCommand(program: Command, shell: Shell): void {
  const task = program.command('task').description('look at tasks, and decide about them')
  listCommand(task, shell)
  showCommand(task, shell)
  textCommand(task, shell, 'logs', 'what the boxes of a task printed', (client, id, step) =>
    client.logs(id, step),
  )
  textCommand(task, shell, 'diff', 'what a task has changed', (client, id, step, against) =>
    client.diff(id, step, against),
  ).option('--against <branch>', 'what a merge would change in this branch as it is now')
  egressCommand(task, shell)
  watchCommand(task, shell)
  actCommands(task, shell)
  reviewCommand(task, shell)
}

function listCommand(task: Command, shell: Shell): void {
  const list = task.command('list').description('the tasks of the data folder, newest first')
  const filtered = taskFilters(common(list)).option('--kind <kind>', 'only those: change or question')
  pages(filtered, 50).action(async (options: ListOptions) => {
    const { world } = shell
    const filter = { ...pageOf(options), ...taskFilterOf(options, world), ...kindOf(options) }
    const { tasks, next } = await withControlPlane(targetOf(shell, options, 'task list'), (client) =>
      client.taskPage(filter),
    )
    if (options.json === true) printJson(world, { tasks, next })
    else if (tasks.length > 0) {
      print(world, taskTable(tasks, world.now(), tableWidth(shell)))
      tellMore(shell, next)
    } else print(world, nothing(options))
    shell.end('done')
  })
}

function kindOf({ kind }: ListOptions): { kind?: TaskKind } {
  if (kind === undefined) return {}
  const [one, more] = someOf('--kind', kind, taskKinds)
  if (one !== undefined && more === undefined) return { kind: one }
  throw new Failure('bad_request', `--kind takes one of ${taskKinds.join(', ')}.`)
}

function nothing({ repo, status, since, until, kind, ...options }: ListOptions): readonly string[] {
  if (isFiltered({ repo, since, until }) || kind !== undefined) return ['No task is meant by the options.']
  if (status !== undefined) return [`No task is ${status.split(',').join(' or ')}.`]
  const run = speller(options)('run --repo PATH --goal TEXT')
  return ['No tasks yet. Start one with', `  ${run} -- PROGRAM`]
}

function showCommand(task: Command, shell: Shell): void {
  common(task.command('show <id>').description('all about one task')).action(
    async (text: string, options: CommonOptions) => {
      const { world } = shell
      const id = idOf(text)
      const shown = await withControlPlane(targetOf(shell, options, 'task show'), async (client) => ({
        task: await client.task(id),
        checkpoints: await client.checkpoints(id),
        attestations: await client.attestations(id),
        events: await allEvents(client, id),
      }))
      if (options.json === true) printJson(world, shown)
      else print(world, taskLines(shown, speller(options), world.terminal.paint))
      shell.end('done')
    },
  )
}

function textCommand(
  task: Command,
  shell: Shell,
  name: 'logs' | 'diff',
  description: string,
  read: (client: Client, id: TaskId, step: number | null, against?: string) => Promise<string>,
): Command {
  return common(task.command(`${name} <id>`).description(description))
    .option('--step <n>', 'of this step alone')
    .action(async (text: string, options: StepOptions) => {
      const { world } = shell
      const id = idOf(text)
      const step = options.step === undefined ? null : stepOf(options.step)
      const { content, parent } = await withControlPlane(
        targetOf(shell, options, `task ${name}`),
        async (client) => ({
          content: await read(client, id, step, options.against),
          parent:
            name === 'diff' && options.against === undefined ? (await client.task(id)).parentTaskId : null,
        }),
      )
      if (options.json === true) printJson(world, { [name]: content })
      else if (content === '') world.terminal.error(`${noText(name, step, options.against)}\n`)
      else world.terminal.out(name === 'diff' ? diffFor(world, content) : `${plain(content).trimEnd()}\n`)
      if (parent !== null)
        world.terminal.error(
          `This begins with what task ${parent} has changed, which is delivered with it: \`${speller(options)(`task diff ${parent}`)}\` shows that.\n`,
        )
      shell.end('done')
    })
}

/** Where there is nothing: of what was asked for, which may not be all there is. */
function noText(name: 'logs' | 'diff', step: number | null, against: string | undefined): string {
  if (against !== undefined) return `A merge would change nothing in ${plain(against)} as it is now.`
  const done = name === 'diff' ? 'changed' : 'printed'
  return step === null ? `Nothing is ${done} so far.` : `Nothing is ${done} by step ${step}.`
}

/** A diff that goes into a file or a pipe stays byte for byte what git can apply. */
function diffFor({ terminal }: Shell['world'], diff: string): string {
  return terminal.obeys ? `${laidOpen(diff).replaceAll('\r\n', '\n').trimEnd()}\n` : diff
}

function stepOf(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new Failure('bad_request', `${text} is no step: give a number, such as --step 1.`)
}
