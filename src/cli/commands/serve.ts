import type { Command } from 'commander'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../domain/failure.ts'
import { exitCode } from '../exit.ts'
import { holderName, isHeld } from '../connection.ts'
import type { World } from '../world.ts'
import type { Opened } from '../../../control-plane/main.ts'
import { type CommonOptions, onFolder, printJson, type Shell } from './common.ts'

/** How often it is looked whether the data folder has been let go, ms. */
const lookMs = 1000

interface ServeOptions extends CommonOptions {
  readonly wait?: true
}

export function serveCommand(program: Command, shell: Shell): void {
  onFolder(
    program
      .command('serve')
      .description('work on all tasks of the data folder until told to end')
      .option('--wait', 'begin when another process lets the data folder go, instead of refusing'),
  ).action(async (options: ServeOptions) => {
    const { world } = shell
    const config = world.loadConfig(options)
    const take = () => world.open(config, { what: 'serve', attend: 'all', stderrLevel: config.logLevel })
    let opened = await take()
    if (isHeld(opened) && options.wait === true) {
      const who = holderName(opened.owner)
      world.terminal.error(`${who} holds the data folder ${config.dataFolder}; waiting until it lets go.\n`)
    }
    while (isHeld(opened) && options.wait === true) {
      await sleep(lookMs)
      opened = await take()
    }
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
    void tellPages(opened, world)
    const lost = await Promise.race([ending(world), opened.lost])
    if (lost !== undefined) throw lost
    shell.end('done')
  })
}

/** As soon as it is known, which may be long after the start. */
async function tellPages({ pages }: Opened, { terminal }: World): Promise<void> {
  const found = await pages
  if (found !== null && found.state !== 'ok') terminal.error(`cofferdam: ${found.text}\n`)
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
