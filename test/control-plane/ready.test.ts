import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import type { DiscordState } from '../../src/domain/discord.ts'
import { readiness, type ReadyDeps } from '../../control-plane/ready.ts'

let now = 0
const access = { probe: () => undefined } as unknown as ReadyDeps['store']['access']
const fine: ReadyDeps = {
  store: { access },
  engine: { describe: () => Promise.resolve('scripted') },
  data: tmpdir(),
  diskFreeMb: 0,
  clock: () => now,
}
const full = () => {
  throw new Error('full')
}

it.each<[string, Partial<ReadyDeps>, RegExp | null]>([
  ['all is well', {}, null],
  [
    'the engine is away',
    { engine: { describe: () => Promise.reject(new Error('away')) } },
    /engine does not/,
  ],
  ['the disk is full', { diskFreeMb: 1e12 }, /disk is full/],
  ['nothing can be written', { store: { access: { ...access, probe: full } } }, /database cannot be written/],
])('says whether tasks can be worked on where %s', async (_name, change, text) => {
  const found = readiness({ ...fine, ...change })()
  if (text === null) await expect(found).resolves.toBeUndefined()
  else
    await expect(found).rejects.toMatchObject({
      code: 'busy',
      message: expect.stringMatching(text) as unknown,
    })
})

it.each<[string, DiscordState['state'], number, RegExp | null]>([
  ['is there', 'ready', 1e9, null],
  ['was lost a minute ago', 'connecting', 60_000, null],
  ['has been lost for longer', 'connecting', 120_001, /^Discord is not connected\./],
  ['has been refused', 'refused', 0, /^Discord is not connected\./],
])('says so where the connection to Discord %s', async (_name, state, ms, text) => {
  const connections = () => [{ state, since: now - ms, text: '' }]
  const found = readiness({ ...fine, connections })()
  if (text === null) await expect(found).resolves.toBeUndefined()
  else await expect(found).rejects.toMatchObject({ message: expect.stringMatching(text) as unknown })
})

it('looks again after a while, and not at every question', async () => {
  let asked = 0
  const describe = () => Promise.resolve(String(++asked))
  const ready = readiness({ ...fine, engine: { describe } })
  await ready()
  await ready()
  now += 10_000
  await ready()
  expect(asked).toBe(2)
})
