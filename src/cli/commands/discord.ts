import type { Command } from 'commander'
import type { Finding } from '../../domain/control-plane.ts'
import { findingLines } from '../render/findings.ts'
import { type CommonOptions, onFolder, print, printJson, type Shell, speller } from './common.ts'

export function discordCommand(program: Command, shell: Shell): void {
  const discord = program.command('discord').description('the front end on Discord')
  onFolder(
    discord
      .command('setup')
      .description('check token, intents and permissions, register the commands, send a test message'),
  ).action(async (options: CommonOptions) => {
    const { world } = shell
    const findings: Finding[] = []
    for await (const finding of world.setUpDiscord(world.loadConfig(options))) {
      findings.push(finding)
      if (options.json !== true) print(world, findingLines([finding], speller(options), world.terminal.paint))
    }
    if (options.json === true) printJson(world, { findings })
    shell.end(findings.some(({ state }) => state === 'problem') ? 'environment' : 'done')
  })
}
