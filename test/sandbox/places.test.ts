import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { gatewayPort } from '../../src/domain/egress.ts'
import { channelFolder, channelSocket } from '../../src/sandbox/places.ts'

const entry = readFileSync(new URL('../../sandbox-image/entry.c', import.meta.url), 'utf8')

it('the first program of a box listens where boxes are told that their gateway is, and relays to its socket', () => {
  expect(/\bport = (\d+)/.exec(entry)?.[1]).toBe(String(gatewayPort))
  expect(/\bchannel\[\] = "([^"]+)"/.exec(entry)?.[1]).toBe(`${channelFolder}/${channelSocket}`)
})
