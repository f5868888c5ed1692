import { PermissionFlagsBits } from 'discord-api-types/v10'
import type { Hono } from 'hono'
import { missingPermissions, unknownEmoji } from '../refusal.ts'
import { type Env, param, type Wire } from './wire.ts'

/** Reactions, of which Discord takes one in a quarter of a second in each channel. */
export function reactionRoutes(app: Hono<Env>, wire: Wire): void {
  const { world, limits } = wire
  const reactions = '/channels/:channel/messages/:message/reactions'
  const freeAt = new Map<string, number>()

  app.use(`${reactions}/*`, async (c, next) => {
    const channel = param(c, 'channel')
    const wait = (freeAt.get(channel) ?? 0) - Date.now()
    const bucket = (ms: number): Record<string, string> => ({
      'x-ratelimit-bucket': 'reactions',
      'x-ratelimit-limit': '1',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset-after': String(ms / 1000),
    })
    if (wait > 0) {
      const after = { ...bucket(wait), 'retry-after': String(wait / 1000), 'x-ratelimit-scope': 'user' }
      const said = { message: 'You are being rate limited.', retry_after: wait / 1000, global: false }
      return c.json(said, 429, after)
    }
    freeAt.set(channel, Date.now() + limits.reaction)
    await next()
    for (const [name, value] of Object.entries(bucket(limits.reaction))) c.res.headers.set(name, value)
    return undefined
  })

  app.put(`${reactions}/:emoji/@me`, (c) => {
    const channel = world.channel(param(c, 'channel'))
    const message = world.message(channel, param(c, 'message'))
    if (world.botLacks(channel, PermissionFlagsBits.AddReactions)) throw missingPermissions()
    const emoji = param(c, 'emoji')
    const found = message.reactions.find((one) => one.emoji === emoji)
    if (found === undefined) message.reactions.push({ emoji, users: [world.bot.id] })
    else if (!found.users.includes(world.bot.id)) found.users.push(world.bot.id)
    return c.body(null, 204)
  })
  app.delete(`${reactions}/:emoji/@me`, (c) => {
    const message = world.message(world.channel(param(c, 'channel')), param(c, 'message'))
    const found = message.reactions.find(({ emoji }) => emoji === param(c, 'emoji'))
    if (found === undefined) throw unknownEmoji()
    found.users = found.users.filter((id) => id !== world.bot.id)
    message.reactions = message.reactions.filter(({ users }) => users.length > 0)
    return c.body(null, 204)
  })
  app.delete(reactions, (c) => {
    const channel = world.channel(param(c, 'channel'))
    if (world.botLacks(channel, PermissionFlagsBits.ManageMessages)) throw missingPermissions()
    world.message(channel, param(c, 'message')).reactions = []
    return c.body(null, 204)
  })
}
