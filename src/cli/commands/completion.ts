import { Argument, type Command } from 'commander'
import { completionScript, type ShellName, shells } from '../completion/scripts.ts'
import { nodesOf } from '../completion/tree.ts'
import type { Shell } from './common.ts'

export function completionCommand(program: Command, { world, end }: Shell): void {
  program
    .command('completion')
    .description('print what teaches a shell to complete these commands')
    .addArgument(new Argument('<shell>', 'as in: source <(cofferdam completion bash)').choices([...shells]))
    .action((shell: ShellName) => {
      world.terminal.out(completionScript(shell, nodesOf(program)))
      end('done')
    })
}
