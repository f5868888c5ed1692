import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { gatewayPort } from '../../src/domain/egress.ts'
import { channelFolder, channelSocket } from '../../src/sandbox/places.ts'

const header = readFileSync(new URL('../../sandbox-image/entry/entry.h', import.meta.url), 'utf8')

it('the first program of a box listens where boxes are told that their gateway is, and relays to its socket', () => {
  expect(/\bport = (\d+)/.exec(header)?.[1]).toBe(String(gatewayPort))
  const [, folder] = /CHANNEL_FOLDER "([^"]+)"/.exec(header) ?? []
  const [, socket] = /CHANNEL_SOCKET CHANNEL_FOLDER "([^"]+)"/.exec(header) ?? []
  expect([folder, socket]).toEqual([channelFolder, `/${channelSocket}`])
})
