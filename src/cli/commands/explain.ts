import type { Command } from 'commander'
import { withControlPlane } from '../place.ts'
import { explanationLines } from '../render/explanation.ts'
import { requestOf, type TaskOptions } from '../request.ts'
import { type CommonOptions, print, printJson, type Shell, wanted } from './common.ts'
import { checked, goalRead, taskOptions } from './run.ts'

export function explainCommand(program: Command, shell: Shell): void {
  taskOptions(
    program.command('explain').description('show what a task would get: boxes, mounts, hidden files, risks'),
  ).action(async (argv: string[], options: TaskOptions & CommonOptions) => {
    const { world } = shell
    const request = requestOf(await goalRead(options, shell), checked(argv, shell), world.around.cwd)
    const explanation = await withControlPlane(wanted(shell, options, 'explain'), (client) =>
      client.explain(request),
    )
    if (options.json === true) printJson(world, explanation)
    else print(world, explanationLines(explanation, world.terminal.paint))
    shell.end('applied')
  })
}
