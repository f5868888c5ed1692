import type { Command } from 'commander'
import type { ConfigFlags } from '../../config/load.ts'
import { Failure } from '../../domain/failure.ts'
import { parseTaskId, type TaskId } from '../../domain/ids.ts'
import { quoted } from '../../domain/shell.ts'
import type { Exit } from '../exit.ts'
import type { Target } from '../connection.ts'
import { jsonLine } from '../render/json.ts'
import type { Spell } from '../render/next.ts'
import { serverOf } from '../server.ts'
import type { World } from '../world.ts'

/** Options that every command has. */
export interface CommonOptions extends ConfigFlags {
  readonly server?: string
  readonly json?: true
}

/** What the commands are made with. */
export interface Shell {
  readonly world: World
  /** The command line as it was given, without the program. */
  readonly args: readonly string[]
  /** Takes the outcome of the command that ran. */
  end(exit: Exit): void
}

export function common(command: Command): Command {
  return onFolder(command).option(
    '--server <url>',
    'ask this server, with the token in COFFERDAM_TOKEN (default: COFFERDAM_SERVER, or the data folder)',
  )
}

/** What works on a data folder alone. */
export function onFolder(command: Command): Command {
  return command
    .option('--data <folder>', 'the data folder (default: COFFERDAM_DATA, or your own)')
    .option('--config <file>', 'the configuration file')
    .option('--json', 'write JSON, for machines')
}

/** The control plane that the options of a command mean. */
export function targetOf({ world }: Shell, options: CommonOptions, what: string): Target {
  const server = serverOf(options, world.around.env)
  return { world, config: world.loadConfig(options), server, what }
}

/** Commands that are given on the machine of the data folder, also where the others are sent to a server. */
const onItsMachine = /^(serve|backup|restore|image|discord|token create)\b/

/** Writes commands as they have to be given to reach the same data folder. */
export function speller({ data, config, server }: CommonOptions): Spell {
  const more = [
    ...(data === undefined ? [] : ['--data', quoted(data)]),
    ...(config === undefined ? [] : ['--config', quoted(config)]),
    ...(server === undefined ? [] : ['--server', quoted(server)]),
  ]
  return (command) =>
    ['cofferdam', command, ...(server !== undefined && onItsMachine.test(command) ? [] : more)].join(' ')
}

export function print(world: World, lines: readonly string[]): void {
  if (lines.length > 0) world.terminal.out(`${lines.join('\n')}\n`)
}

export function printJson(world: World, value: unknown): void {
  world.terminal.out(jsonLine(value))
}

/** A pipe is as wide as its lines. */
export function tableWidth({ world: { terminal } }: Shell): number {
  return terminal.live ? terminal.width() : 500
}

export function idOf(text: string): TaskId {
  const id = parseTaskId(text)
  if (id !== null) return id
  throw new Failure('bad_request', `${text} is no task id: \`cofferdam task list\` shows them.`)
}

/** Collects an option that may be given several times. */
export function several(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}
