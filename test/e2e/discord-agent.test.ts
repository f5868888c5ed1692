import { afterAll, beforeAll, expect, it } from 'vitest'
import { textOf } from '../support/discord/interaction.ts'
import { type DiscordLab, openDiscordLab } from '../support/discord/lab.ts'
import { sandboxImage } from '../support/docker.ts'
import { say, turn, write } from '../support/model/script.ts'
import { type Model, openModel } from '../support/model/server.ts'

// A real agent in a real box, whose model says something, has it write a file, and then takes its time.

let lab: DiscordLab
let model: Model

beforeAll(async () => {
  const image = await sandboxImage(['pi'])
  model = await openModel({
    script: () => turn(say('I begin with __it__, @everyone.'), write('/work/by_hand.txt', 'x\n')),
    fault: (_, { round }) => (round === 0 ? null : { kind: 'hang' }),
  })
  lab = await openDiscordLab({
    agent: [],
    more: () => [
      `engine: { image: '${image}' }`,
      `upstreams: { openai-compatible: { origin: '${model.origin}' } }`,
      'agents: { pi: { upstream: openai-compatible, model: m-1 } }',
      'task: { agent: { name: pi } }',
    ],
  })
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
  await model[Symbol.asyncDispose]()
})

it('its status message shows what an agent does while it does it, what it writes and what that has cost, and pings nobody', async () => {
  const { discord, home, owner } = lab
  const id = await lab.start('Make it right', { agent: 'pi' })
  const status = await discord.sees(
    home,
    (one) => textOf(one).includes(id) && textOf(one).includes('» write'),
    60_000,
  )
  expect(textOf(status)).toContain('» write /work/by\\_hand.txt')
  const fields = status.embeds[0]?.fields ?? []
  expect(fields.find(({ name }) => name === 'Writes')?.value).toBe('by\\_hand.txt')
  expect(Number(fields.find(({ name }) => name === 'Tokens')?.value)).toBe(
    model.sums().inputTokens + model.sums().outputTokens,
  )
  expect(status.pings).toEqual([])
  await owner.slash(home, 'task_stop', { task: id })
  await discord.sees(home, (one) => one.id === status.id && textOf(one).includes('STOPPED'), 30_000)
  expect(textOf(status)).not.toContain('» write')
})
