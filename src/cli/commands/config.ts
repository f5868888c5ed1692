import type { Command } from 'commander'
import { configJsonSchema } from '../../config/json-schema.ts'
import { plain } from '../render/text.ts'
import { type CommonOptions, onFolder, print, printJson, type Shell } from './common.ts'

/** `config`: what there is to configure, and whether a file does. Neither opens a data folder. */
export function configCommand(program: Command, shell: Shell): void {
  const { world } = shell
  const config = program.command('config').description('the configuration file')
  onFolder(config.command('check').description('say whether it can be used, and where it is')).action(
    (options: CommonOptions) => {
      const { file, dataFolder } = world.loadConfig(options)
      if (options.json === true) printJson(world, { file, dataFolder })
      else
        print(world, [
          plain(
            file === null ? 'There is no configuration file, and none is needed.' : `${file} can be used.`,
          ),
          plain(`The data folder is ${dataFolder}.`),
        ])
      shell.end('done')
    },
  )
  config
    .command('schema')
    .description('print its JSON Schema, for editors')
    .action(() => {
      world.terminal.out(`${JSON.stringify(configJsonSchema(), null, 2)}\n`)
      shell.end('done')
    })
}
