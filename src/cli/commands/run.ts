import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import type { Client } from '../../client/client.ts'
import { defaultBudget } from '../../domain/budget.ts'
import { Failure } from '../../domain/failure.ts'
import { exitHelp } from '../exit.ts'
import { Connection } from '../connection.ts'
import { pursue } from '../pursue.ts'
import { MachineReporter, PeopleReporter } from '../reporter.ts'
import { requestOf, type TaskOptions } from '../request.ts'
import { common, type CommonOptions, several, type Shell, speller, targetOf } from './common.ts'

interface RunOptions extends TaskOptions, CommonOptions {
  readonly yes?: true
}

const examples = `
Examples:
  cofferdam run --repo . --goal "Format everything" --setup "npm ci" --test "npm test" -- npx prettier --write .
  cofferdam run --repo ~/shop --goal - --test "python3 -m unittest" -- ./fix.sh < goal.txt

A box has no network and, without --setup, no node_modules: a program is one of the image (python3, node, git, make, ...),
one of the repository, or one that --setup installs.
Ctrl-C stops the task; \`cofferdam task resume ID\` goes on with it.

${exitHelp()}`

export function runCommand(program: Command, shell: Shell): void {
  taskOptions(program.command('run').description('work on a goal until it is applied, and show how'))
    .option('--yes', 'approve what the risk gate asks a person for; the decision is recorded')
    .addHelpText('after', examples)
    .action(async (argv: string[], options: RunOptions) => {
      const { world } = shell
      const request = requestOf(await goalRead(options, shell), checked(argv, shell), world.around.cwd)
      await using connection = await Connection.host(targetOf(shell, options, 'run'))
      await connection.persist(refuseWithoutEngine)
      // Under one key it is one task, however often the process that takes it dies in the middle.
      const key = randomUUID()
      const { task, notes } = await connection.persist((client) => client.submit(request, key))
      const spell = speller(options)
      const quiet = options.json === true
      using reporter = quiet ? new MachineReporter(world) : new PeopleReporter(world, spell)
      reporter.task(task, notes)
      const yes = options.yes === true
      shell.end(await pursue({ world, connection, reporter, spell, yes, quiet, mine: true, after: 0 }, task))
    })
}

/** Somebody waits: without an engine or its image no task is made, which would wait for them. */
async function refuseWithoutEngine(client: Client): Promise<void> {
  for (const { name, state, text } of await client.doctor()) {
    if (state === 'problem' && (name === 'engine' || name === 'image')) throw new Failure(name, text)
  }
}

/** The options that make a task. */
export function taskOptions(command: Command): Command {
  return common(command)
    .argument('[argv...]', 'after "--": the program of the agent "command"')
    .option('--repo <path>', 'the git repository')
    .option('--goal <text>', 'what should be done; - reads it from standard input')
    .option('--ref <ref>', 'branch, tag or commit to start from (default: what is checked out)')
    .option(
      '--setup <command>',
      'installs dependencies, once, with a network (default: as configured for the repository)',
    )
    .option('--test <command>', 'says whether the work is good (default: as configured for the repository)')
    .option('--agent <name>', 'who does the work (default: "command" with a program, else as configured)')
    .option(
      '--steps <n>',
      `the most steps that it may take (default: task.steps of the configuration, else ${defaultBudget.steps})`,
    )
    .option(
      '--minutes <n>',
      `the most minutes that its boxes may run (default: task.minutes of the configuration, else ${defaultBudget.seconds / 60})`,
    )
    .option(
      '--tokens <n>',
      'the most tokens of models (default: task.tokens of the configuration, else no limit)',
    )
    .option(
      '--cost <usd>',
      'the most US dollars for models (default: task.cost of the configuration, else no limit)',
    )
    .option('--draft', 'ask a person first, whatever the risk')
    .option('--deny <pattern>', 'neither read nor written; may be repeated', several)
    .option('--readonly <pattern>', 'read but not written; may be repeated', several)
    .option('--allow <pattern>', 'makes everything else readonly; may be repeated', several)
    .option('--egress <host>', 'a host that the agent may reach; may be repeated', several)
}

/** Words that stand before "--" are most often a goal without quotes. */
export function checked(argv: readonly string[], { args }: Shell): readonly string[] {
  const mark = args.indexOf('--')
  const given = mark === -1 ? 0 : args.length - mark - 1
  if (argv.length <= given) return argv
  const stray = argv.slice(0, argv.length - given).join(' ')
  throw new Failure(
    'bad_request',
    `"${stray}" is not understood: put the goal in quotes, and the program of the agent after "--".`,
  )
}

export async function goalRead(options: TaskOptions, { world }: Shell): Promise<TaskOptions> {
  return options.goal === '-' ? { ...options, goal: await world.terminal.input() } : options
}
