import type { Command } from 'commander'
import { exitHelp } from '../exit.ts'
import { Connection } from '../connection.ts'
import { interrupts } from '../interrupt.ts'
import { openReporter } from '../reporter.ts'
import { requestOf, type TaskOptions } from '../request.ts'
import { submitAndPursue } from '../submit.ts'
import { type CommonOptions, type Shell, speller, targetOf } from './common.ts'
import { goalRead, programOf, taskOptions } from './task-options.ts'

interface RunOptions extends TaskOptions, CommonOptions {
  readonly yes?: true
}

const examples = `
Examples:
  cofferdam run --repo . --goal "Format everything" --setup "npm ci" --test "npm test" -- npx prettier --write .
  cofferdam run --repo ~/shop --goal - --test "python3 -m unittest" -- ./fix.sh < goal.txt

A box has no network and, without --setup, no node_modules: a program is one of the image (python3, node, git, make, ...),
one of the repository, or one that --setup installs.
Ctrl-C stops the task; \`cofferdam task resume ID\` goes on with it. A second one leaves while it is still being stopped.

${exitHelp()}`

export function runCommand(program: Command, shell: Shell): void {
  taskOptions(program.command('run').description('work on a goal until it is applied, and show how'))
    .option('--yes', 'approve what the risk gate asks a person for; the decision is recorded')
    .addHelpText('after', examples)
    .action(async (argv: string[], options: RunOptions) => {
      const { world } = shell
      const request = requestOf(await goalRead(options, shell), programOf(argv, shell), world.around.cwd)
      await using connection = await Connection.host(targetOf(shell, options, 'run'))
      const spell = speller(options)
      const quiet = options.json === true
      using reporter = openReporter(world, spell, quiet)
      using ways = interrupts(world, reporter)
      const yes = options.yes === true
      const start = { world, connection, reporter, spell, ways, yes, quiet }
      const { exit } = await submitAndPursue(start, (client, key) => client.submit(request, key))
      shell.end(exit)
    })
}
