import { type Command, InvalidArgumentError } from 'commander'
import { type ImageAgent, imageAgents, isImageAgent } from '../../domain/image.ts'
import { plain } from '../render/text.ts'
import { type CommonOptions, onFolder, printJson, type Shell } from './common.ts'

interface BuildOptions extends CommonOptions {
  readonly agents?: readonly ImageAgent[]
  readonly fresh?: true
}

export function imageCommand(program: Command, shell: Shell): void {
  const image = program.command('image').description('the image that boxes are made of')
  onFolder(image.command('build').description('build that of this version, unless it is there'))
    .option(
      '--agents <names>',
      `with these agents instead of the configured ones: ${imageAgents.join(', ')}`,
      agentsOf,
    )
    .option('--fresh', 'build it all the same, with the packages that there are today')
    .action(async (options: BuildOptions) => {
      const { world } = shell
      const { terminal } = world
      const json = options.json === true
      const progress = (line: string): void => {
        if (json) printJson(world, { type: 'progress', text: line })
        else terminal.out(`${terminal.paint.dim(plain(line).trimEnd())}\n`)
      }
      const wanted = { agents: options.agents ?? null, fresh: options.fresh === true }
      const id = await world.buildImage(world.loadConfig(options), progress, wanted)
      if (json) printJson(world, { type: 'result', image: id })
      else terminal.out(`The image is ready: ${id}\n`)
      shell.end('done')
    })
}

function agentsOf(names: string): readonly ImageAgent[] {
  return names.split(',').map((each) => {
    const name = each.trim()
    if (isImageAgent(name)) return name
    throw new InvalidArgumentError(`An image has agents out of ${imageAgents.join(', ')}.`)
  })
}
