import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import type { Client } from '../../client/client.ts'
import { Failure } from '../../domain/failure.ts'
import { exitHelp } from '../exit.ts'
import { Connection } from '../connection.ts'
import { pursue } from '../pursue.ts'
import { openReporter } from '../reporter.ts'
import { requestOf, type TaskOptions } from '../request.ts'
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
Ctrl-C stops the task; \`cofferdam task resume ID\` goes on with it.

${exitHelp()}`

export function runCommand(program: Command, shell: Shell): void {
  taskOptions(program.command('run').description('work on a goal until it is applied, and show how'))
    .option('--yes', 'approve what the risk gate asks a person for; the decision is recorded')
    .addHelpText('after', examples)
    .action(async (argv: string[], options: RunOptions) => {
      const { world } = shell
      const request = requestOf(await goalRead(options, shell), programOf(argv, shell), world.around.cwd)
      await using connection = await Connection.host(targetOf(shell, options, 'run'))
      await connection.persist(refuseWithoutEngine)
      // Under one key it is one task, however often the process that takes it dies in the middle.
      const key = randomUUID()
      const { task, notes } = await connection.persist((client) => client.submit(request, key))
      const spell = speller(options)
      const quiet = options.json === true
      using reporter = openReporter(world, spell, quiet)
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
