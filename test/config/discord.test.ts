import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Config, loadConfig } from '../../src/config/load.ts'
import { around, scratch } from './support.ts'

const guild = '100000000000000001'
const channel = '100000000000000002'

function loaded(discord: string, env: Record<string, string> = {}): Config {
  const home = scratch()
  const folder = join(home, '.config/cofferdam')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'cofferdam.yaml'), `discord: ${discord}\n`)
  const machine = around(home)
  return loadConfig({}, { ...machine, env: { ...machine.env, ...env } })
}

test('people and roles are told apart, and nobody is anybody where none is named', () => {
  const { discord } = loaded(
    `{ guild: "${guild}", channel: "${channel}", owners: ["100000000000000003", "role:100000000000000004"] }`,
  )
  expect(discord?.members).toEqual({
    owner: { users: ['100000000000000003'], roles: ['100000000000000004'] },
    operator: { users: [], roles: [] },
    viewer: { users: [], roles: [] },
  })
  expect([discord?.token, discord?.tokenFrom]).toEqual([null, 'the environment variable DISCORD_TOKEN'])
})

test('the token is of the environment, and among what must not leave a box', () => {
  const { discord, secrets } = loaded(`{ guild: "${guild}", channel: "${channel}" }`, {
    DISCORD_TOKEN: 'a.good.token',
  })
  expect(discord?.token?.reveal()).toBe('a.good.token')
  expect(secrets.map((secret) => secret.reveal())).toContain('a.good.token')
  expect(JSON.stringify(discord)).not.toContain('a.good.token')
})

test.each([
  [
    `{ guild: "${guild}", channel: "${channel}", owners: ["role:${guild}"] }`,
    /role:100000000000000001 .*is @everyone/,
  ],
  [`{ guild: "${guild}", channel: "${channel}", viewers: ["role:${guild}"] }`, /is @everyone/],
  [`{ guild: ${guild}, channel: "${channel}" }`, /An id of Discord is text: put it in quotes/],
  [`{ guild: "${guild}", channel: "${channel}", owners: ["anna"] }`, /the id of a user, or "role:"/],
  [`{ guild: "${guild}", channel: "tasks" }`, /An id of Discord is a long number/],
])('%s is refused in a sentence', (discord, sentence) => {
  expect(() => loaded(discord)).toThrow(sentence)
})
