import type { Command } from 'commander'
import { withControlPlane } from '../connection.ts'
import { table } from '../../domain/transition/table.ts'
import { explanationLines } from '../render/explanation.ts'
import { transitionLines } from '../render/transitions.ts'
import { requestOf, type TaskOptions } from '../request.ts'
import { type CommonOptions, print, printJson, type Shell, targetOf } from './common.ts'
import { goalRead, programOf, taskOptions } from './task-options.ts'

interface ExplainOptions extends TaskOptions, CommonOptions {
  readonly table?: true
}

export function explainCommand(program: Command, shell: Shell): void {
  taskOptions(
    program.command('explain').description('show what a task would get: boxes, mounts, hidden files, risks'),
  )
    .option('--table', 'instead of a task, show every change of state that there is')
    .action((argv: string[], options: ExplainOptions) =>
      options.table === true ? showTable(shell, options) : showTask(shell, argv, options),
    )
}

function showTable(shell: Shell, options: CommonOptions): void {
  const { world } = shell
  if (options.json === true) printJson(world, { table })
  else print(world, transitionLines(table))
  shell.end('done')
}

async function showTask(shell: Shell, argv: readonly string[], options: ExplainOptions): Promise<void> {
  const { world } = shell
  const request = requestOf(await goalRead(options, shell), programOf(argv, shell), world.around.cwd)
  const explanation = await withControlPlane(targetOf(shell, options, 'explain'), (client) =>
    client.explain(request),
  )
  if (options.json === true) printJson(world, explanation)
  else print(world, explanationLines(explanation, world.terminal.paint))
  shell.end('done')
}
