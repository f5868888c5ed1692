import type { Command } from 'commander'
import { Connection } from '../connection.ts'
import { interrupts } from '../interrupt.ts'
import { pursue } from '../pursue.ts'
import { openReporter } from '../reporter.ts'
import { common, type CommonOptions, idOf, type Shell, speller, targetOf } from './common.ts'

const help = `
Where another process works on the task, Ctrl-C ends the watching, not the task. Where none does, this command works on
it: then Ctrl-C puts it back into the queue, where it waits for the next \`cofferdam task watch\` or \`cofferdam serve\`.`

export function watchCommand(task: Command, shell: Shell): void {
  common(
    task
      .command('watch <id>')
      .description('follow a task; where no process works on the data folder, work on it here'),
  )
    .addHelpText('after', help)
    .action(async (text: string, options: CommonOptions) => {
      const { world } = shell
      const id = idOf(text)
      await using connection = await Connection.visit(targetOf(shell, options, 'task watch'))
      const task = await connection.persist((client) => client.task(id))
      const spell = speller(options)
      using reporter = openReporter(world, spell, options.json === true)
      using ways = interrupts(world, reporter)
      reporter.task(task, [])
      const looking = { ways, yes: false, quiet: true, mine: false, after: 0 }
      shell.end(await pursue({ world, connection, reporter, spell, ...looking }, task))
    })
}
