import type { Command } from 'commander'
import { Failure } from '../../domain/failure.ts'
import { exitCode } from '../exit.ts'
import { holderName, isHeld } from '../connection.ts'
import type { World } from '../world.ts'
import { type CommonOptions, onFolder, printJson, type Shell } from './common.ts'

export function serveCommand(program: Command, shell: Shell): void {
  onFolder(
    program.command('serve').description('work on all tasks of the data folder until told to end'),
  ).action(async (options: CommonOptions) => {
    const { world } = shell
    const config = world.loadConfig(options)
    const opened = await world.open(config, { what: 'serve', attend: 'all', stderrLevel: config.logLevel })
    if (isHeld(opened)) {
      throw new Failure(
        'busy',
        `${holderName(opened.owner)} holds the data folder ${config.dataFolder}: end it first, or use another with --data.`,
      )
    }
    await using _ = opened
    const { dataFolder, controlSocket } = config
    const { origin } = opened
    if (options.json === true) printJson(world, { type: 'serving', dataFolder, controlSocket, origin })
    else {
      const where = origin === null ? '' : `The dashboard is at ${origin}/dashboard/, the API at ${origin}. `
      world.terminal.out(
        `Working on the tasks of ${dataFolder}. ${where}Ctrl-C ends this; running boxes are left to the next start.\n`,
      )
    }
    await ending(world)
    shell.end('done')
  })
}

/** Resolves at the first signal; a second one ends the process at once. */
function ending(world: World): Promise<void> {
  return new Promise((resolve) => {
    let asked = false
    world.onSignal(() => {
      if (asked) world.exit(exitCode('interrupted'))
      asked = true
      resolve()
    })
  })
}
