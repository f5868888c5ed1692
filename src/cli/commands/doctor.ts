import type { Command } from 'commander'
import type { Finding } from '../../client/answers.ts'
import type { Client } from '../../client/client.ts'
import { Failure } from '../../domain/failure.ts'
import { withControlPlane } from '../place.ts'
import { findingLines } from '../render/findings.ts'
import { common, type CommonOptions, print, printJson, type Shell, wanted } from './common.ts'

export function doctorCommand(program: Command, shell: Shell): void {
  common(program.command('doctor').description('look at everything that a task needs')).action(
    async (options: CommonOptions) => {
      const { world } = shell
      const findings = await look(shell, options)
      if (options.json === true) printJson(world, { findings })
      else print(world, findingLines(findings, world.terminal.paint))
      shell.end(findings.some(({ state }) => state === 'problem') ? 'environment' : 'applied')
    },
  )
}

/** A data folder or a database that cannot be opened is a finding like any other. */
async function look(shell: Shell, options: CommonOptions): Promise<readonly Finding[]> {
  const place = wanted(shell, options, 'doctor')
  const folder: Finding = { name: 'data folder', state: 'ok', text: place.config.dataFolder }
  try {
    return [folder, ...(await withControlPlane(place, (client: Client) => client.doctor()))]
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return [{ ...folder, state: 'problem', text: error.message }]
  }
}
