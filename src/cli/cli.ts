import { Command, CommanderError } from 'commander'
import { Unreachable } from '../client/fetch.ts'
import { Failure, messageOf, systemCodeOf } from '../domain/failure.ts'
import { askCommand } from './commands/ask.ts'
import { auditCommand } from './commands/audit.ts'
import { backupCommands } from './commands/backup.ts'
import { type CommonOptions, type Shell, speller } from './commands/common.ts'
import { completionCommand } from './commands/completion.ts'
import { configCommand } from './commands/config.ts'
import { discordCommand } from './commands/discord.ts'
import { doctorCommand } from './commands/doctor.ts'
import { explainCommand } from './commands/explain.ts'
import { imageCommand } from './commands/image.ts'
import { outboxCommand } from './commands/outbox.ts'
import { runCommand } from './commands/run.ts'
import { scheduleCommand } from './commands/schedule.ts'
import { searchCommand } from './commands/search.ts'
import { serveCommand } from './commands/serve.ts'
import { taskCommand } from './commands/task.ts'
import { tokenCommand } from './commands/token.ts'
import { verifyCommand } from './commands/verify.ts'
import { type Exit, exitCode, exitHelp, exitOfFailure } from './exit.ts'
import type { Spell } from './render/next.ts'
import { respelled } from './render/respelled.ts'
import { plain } from './render/text.ts'
import { versionOf } from '../config/version.ts'
import { debugging, type World } from './world.ts'

/** Runs one command line (without the program's name). Never rejects. @returns the exit code */
export async function cli(args: readonly string[], world: World): Promise<number> {
  let exit: Exit = 'done'
  let spell = speller({})
  const shell: Shell = {
    world,
    args,
    end: (outcome) => {
      exit = outcome
    },
  }
  try {
    await commandsOf(shell)
      .hook('preAction', (_, command) => {
        spell = speller(command.opts<CommonOptions>())
      })
      .parseAsync(args, { from: 'user' })
  } catch (error) {
    exit = exitOfError(error, world, spell)
  }
  await world.terminal.drained()
  return exitCode(exit)
}

function commandsOf(shell: Shell): Command {
  const { terminal } = shell.world
  const program = new Command('cofferdam')
    .description('Coding agents in throwaway containers, under a policy that holds while you sleep.')
    .version(versionOf(), '--version', 'print the version, and the commit that it was built of')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.error(text),
      // A sentence as all others, with what to do next below it.
      outputError: (text, write) => write(text.replace(/^error: (.*?)\.?$/m, 'cofferdam: $1.')),
    })
    .showHelpAfterError(
      '`--help` behind the command shows what it takes; `cofferdam --help` has all commands.',
    )
    .addHelpText('after', `\n${exitHelp()}`)
  runCommand(program, shell)
  askCommand(program, shell)
  taskCommand(program, shell)
  explainCommand(program, shell)
  verifyCommand(program, shell)
  doctorCommand(program, shell)
  discordCommand(program, shell)
  imageCommand(program, shell)
  searchCommand(program, shell)
  outboxCommand(program, shell)
  scheduleCommand(program, shell)
  serveCommand(program, shell)
  configCommand(program, shell)
  backupCommands(program, shell)
  tokenCommand(program, shell)
  auditCommand(program, shell)
  completionCommand(program, shell)
  return program
}

/** Says what went wrong: a sentence for what is expected, a stack only on demand. */
function exitOfError(error: unknown, world: World, spell: Spell): Exit {
  // Commander has said it already; a code of 0 is `--help` or `--version`.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 'done' : 'usage'
  const { terminal } = world
  const stack = debugging(world) && error instanceof Error ? `${plain(error.stack ?? '')}\n` : ''
  if (error instanceof Failure) {
    const sentence = plain(respelled(error.message, spell))
    terminal.error(`${terminal.paint.red('cofferdam:')} ${sentence}\n${stack}`)
    return exitOfFailure(error.code)
  }
  if (error instanceof Unreachable) {
    terminal.error(
      `cofferdam: What works on the tasks went away in the middle; look at \`${spell('task list')}\` and try again.\n`,
    )
    return 'environment'
  }
  // Somebody has put something else where a file or a folder was.
  if (error instanceof Error && 'path' in error && systemCodeOf(error) !== '') {
    const [code, path] = [systemCodeOf(error), plain(String(error.path))]
    terminal.error(
      `cofferdam: ${path} cannot be used (${code}): see what is there now, mend that, and try again.\n${stack}`,
    )
    return 'environment'
  }
  const more = stack === '' ? ' COFFERDAM_DEBUG=1 shows where.' : ''
  terminal.error(`cofferdam: This is a bug, please report it: ${plain(messageOf(error))}.${more}\n${stack}`)
  return 'bug'
}
