import type { Command } from 'commander'
import type { Finding } from '../../domain/control-plane.ts'
import { Unreachable } from '../../client/fetch.ts'
import { Failure } from '../../domain/failure.ts'
import { Connection } from '../connection.ts'
import { findingLines } from '../render/findings.ts'
import { common, type CommonOptions, print, printJson, type Shell, speller, targetOf } from './common.ts'

export function doctorCommand(program: Command, shell: Shell): void {
  common(program.command('doctor').description('look at everything that a task needs'))
    .option('--ready', 'only ask the process that works on tasks whether it can, as /readyz does')
    .action(async (options: CommonOptions & { readonly ready?: true }) => {
      const { world } = shell
      if (options.ready === true) return await sayReady(shell, options)
      const findings = await look(shell, options)
      if (options.json === true) printJson(world, { findings })
      else print(world, findingLines(findings, speller(options), world.terminal.paint))
      shell.end(findings.some(({ state }) => state === 'problem') ? 'environment' : 'done')
    })
}

/** For what asks every minute, such as the health check of a container: opens nothing, and has no box run. */
async function sayReady(shell: Shell, options: CommonOptions): Promise<void> {
  const target = targetOf(shell, options, 'doctor')
  await using connection = await Connection.guest(target)
  if (connection === null)
    throw new Failure(
      'busy',
      `No process answers for ${target.config.dataFolder}: start \`cofferdam serve\`, or look why it does not answer.`,
    )
  await connection.client.ready()
  if (options.json === true) printJson(shell.world, { ready: true })
  else print(shell.world, ['Tasks can be taken and worked on.'])
  shell.end('done')
}

/** Asks the process that holds the data folder; where none answers, looks without opening it. */
async function look(shell: Shell, options: CommonOptions): Promise<readonly Finding[]> {
  const target = targetOf(shell, options, 'doctor')
  const { config, server } = target
  const connection = await Connection.guest(target)
  if (connection === null) return await shell.world.diagnose(config)
  await using _ = connection
  const held = `${config.dataFolder}; a process works on it and answers`
  const folder: Finding =
    server === null
      ? { name: 'data folder', state: 'ok', text: held }
      : { name: 'server', state: 'ok', text: `${server.origin} answers` }
  try {
    return [folder, ...(await connection.client.doctor())]
  } catch (error) {
    if (error instanceof Unreachable && server === null) return await shell.world.diagnose(config)
    if (!(error instanceof Failure) || server !== null) throw error
    return [folder, { name: 'process', state: 'problem', text: error.message }]
  }
}
