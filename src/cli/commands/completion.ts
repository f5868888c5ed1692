import { Argument, type Command } from 'commander'
import { completionScript, type ShellName, shells } from '../completion/scripts.ts'
import { nodesOf } from '../completion/tree.ts'
import type { Shell } from './common.ts'

export function completionCommand(program: Command, shell: Shell): void {
  program
    .command('completion')
    .description('print what teaches a shell to complete these commands')
    .addArgument(new Argument('<shell>', 'as in: source <(cofferdam completion bash)').choices([...shells]))
    .action((name: ShellName) => {
      shell.world.terminal.out(completionScript(name, nodesOf(program)))
      shell.end('done')
    })
}
