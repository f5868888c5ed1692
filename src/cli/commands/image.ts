import type { Command } from 'commander'
import { plain } from '../render/text.ts'
import { type CommonOptions, onFolder, printJson, type Shell } from './common.ts'

export function imageCommand(program: Command, shell: Shell): void {
  const image = program.command('image').description('the image that boxes are made of')
  onFolder(image.command('build').description('build that of this version, unless it is there'))
    .option('--fresh', 'build it all the same, with the packages that there are today')
    .action(async (options: CommonOptions & { readonly fresh?: true }) => {
      const { world } = shell
      const { terminal } = world
      const json = options.json === true
      const progress = (line: string): void => {
        if (json) printJson(world, { type: 'progress', text: line })
        else terminal.out(`${terminal.paint.dim(plain(line).trimEnd())}\n`)
      }
      const id = await world.buildImage(world.loadConfig(options), progress, options.fresh === true)
      if (json) printJson(world, { type: 'result', image: id })
      else terminal.out(`The image is ready: ${id}\n`)
      shell.end('done')
    })
}
