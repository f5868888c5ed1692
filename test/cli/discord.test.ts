import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { World } from '../../src/cli/world.ts'
import { setUp } from '../../src/discord/setup.ts'
import { type LocalDiscord, openDiscord } from '../support/discord/discord.ts'
import { applies } from '../support/scripted-plane.ts'
import { type Ended, scriptedMachine, type ScriptedMachine } from '../support/scripted-world.ts'

let machine: ScriptedMachine
let discord: LocalDiscord

beforeEach(async () => {
  machine = scriptedMachine(applies)
  discord = await openDiscord()
  const { id } = discord.channel('tasks')
  const yaml = `discord: { guild: "${discord.world.guildId}", channel: "${id}", owners: ["100000000000000001"] }\n`
  writeFileSync(join(machine.folder, 'c.yaml'), yaml)
})
afterEach(async () => {
  machine.remove()
  await discord[Symbol.asyncDispose]()
})

const setUpDiscord: World['setUpDiscord'] = ({ discord: settings }) => {
  if (settings === null) throw new Error('it is configured')
  return setUp(settings, discord.api)
}
const setup = (token: string, ...more: readonly string[]): Promise<Ended> =>
  machine.run(['discord', 'setup', '--config', join(machine.folder, 'c.yaml'), ...more], {
    env: { DISCORD_TOKEN: token },
    setUpDiscord,
  })

it('discord setup prints each finding, with what to do, and ends well where all is', async () => {
  const { code, out } = await setup(discord.token)
  expect(code).toBe(0)
  expect(out).toMatch(
    /token[^]*guild[^]*client_id=\d+[^]*channel[^]*commands[^]*A test message is in the channel/,
  )
})

it('discord setup ends with the code for what is wrong around it, and explains it', async () => {
  const { code, out } = await setup('another.token')
  expect(code).toBe(7)
  expect(out).toMatch(/Discord does not know it: reset it in the developer portal/)
  const { findings } = JSON.parse((await setup('another.token', '--json')).out) as { findings: object[] }
  expect(findings).toEqual([expect.objectContaining({ name: 'token', state: 'problem' })])
})
