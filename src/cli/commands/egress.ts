import type { Command } from 'commander'
import { withControlPlane } from '../connection.ts'
import { egressLines } from '../render/egress.ts'
import { plain } from '../render/text.ts'
import { common, type CommonOptions, idOf, print, printJson, type Shell, targetOf } from './common.ts'
import { limitOf } from './filters.ts'

interface EgressOptions extends CommonOptions {
  readonly box?: string
  readonly limit: string
}

export function egressCommand(task: Command, shell: Shell): void {
  common(task.command('egress <id>').description('what the boxes of a task asked the gateway for'))
    .option('--box <name>', 'of this box alone')
    .option('--limit <n>', 'show the newest of them, this many at most', '1000')
    .action(async (text: string, options: EgressOptions) => {
      const { world } = shell
      const id = idOf(text)
      const filter = {
        limit: limitOf(options.limit, 10_000),
        ...(options.box === undefined ? {} : { box: options.box }),
      }
      const egress = await withControlPlane(targetOf(shell, options, 'task egress'), (client) =>
        client.egress(id, filter),
      )
      if (options.json === true) printJson(world, { egress })
      else if (egress.length === 0) world.terminal.error(`${nothing(options)}\n`)
      else print(world, egressLines(egress, world.terminal.paint))
      shell.end('done')
    })
}

function nothing({ box }: EgressOptions): string {
  return box === undefined
    ? 'No box has asked for anything so far.'
    : `No box ${plain(box)} of this task has asked for anything: without --box each is shown with its name.`
}
