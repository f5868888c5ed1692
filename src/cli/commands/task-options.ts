import type { Command } from 'commander'
import { defaultBudget } from '../../domain/budget.ts'
import { Failure } from '../../domain/failure.ts'
import type { TaskOptions } from '../request.ts'
import { common, several, type Shell } from './common.ts'

/** The options that make a task. */
export function taskOptions(command: Command): Command {
  return common(command)
    .argument('[argv...]', 'after "--": the program of the agent "command"')
    .option('--repo <path>', 'the git repository')
    .option('--goal <text>', 'what should be done; - reads it from standard input')
    .option('--ref <ref>', 'branch, tag or commit to start from (default: what is checked out)')
    .option(
      '--setup <command>',
      'installs dependencies, once, with the package registries (default: as configured for the repository)',
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

/** The program of the agent, after "--". Words that stand before it are most often a goal without quotes. */
export function programOf(
  argv: readonly string[],
  { args }: Shell,
  what: 'goal' | 'question' = 'goal',
): readonly string[] {
  const mark = args.indexOf('--')
  const given = mark === -1 ? 0 : args.length - mark - 1
  if (argv.length <= given) return argv
  const stray = argv.slice(0, argv.length - given).join(' ')
  throw new Failure(
    'bad_request',
    `"${stray}" is not understood: put the ${what} in quotes, and the program of the agent after "--".`,
  )
}

/** The same options with the goal itself, where standard input has it. */
export async function goalRead(options: TaskOptions, { world }: Shell): Promise<TaskOptions> {
  return options.goal === '-' ? { ...options, goal: await world.terminal.input() } : options
}
