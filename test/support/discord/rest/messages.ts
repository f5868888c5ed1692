import { GatewayDispatchEvents, GatewayIntentBits, PermissionFlagsBits } from 'discord-api-types/v10'
import type { Hono } from 'hono'
import { compose, mayWrite, rewrite } from '../compose.ts'
import { channelShown, messageShown } from '../payloads.ts'
import { notTheAuthor, threadArchived } from '../refusal.ts'
import { changedMessage, fit, newMessage } from '../shapes.ts'
import type { Channel, Message } from '../world.ts'
import { bodyOf, type Env, param, type Wire } from './wire.ts'

export function messageRoutes(app: Hono<Env>, wire: Wire): void {
  const { world, gateway } = wire
  const at = '/channels/:channel/messages'

  app.get(at, (c) => {
    const channel = world.channel(param(c, 'channel'))
    if (world.botLacks(channel, PermissionFlagsBits.ReadMessageHistory)) return c.json([])
    const { before, after, around, limit } = c.req.query()
    const most = Math.min(Number(limit ?? 50), 100)
    const newestFirst = channel.messages.toReversed()
    const chosen = ((): readonly Message[] => {
      if (before !== undefined)
        return newestFirst.filter(({ id }) => BigInt(id) < BigInt(before)).slice(0, most)
      if (after !== undefined)
        return channel.messages
          .filter(({ id }) => BigInt(id) > BigInt(after))
          .slice(0, most)
          .toReversed()
      if (around === undefined) return newestFirst.slice(0, most)
      const middle = newestFirst.findIndex(({ id }) => BigInt(id) <= BigInt(around))
      return newestFirst.slice(Math.max(0, middle - Math.floor(most / 2))).slice(0, most)
    })()
    return c.json(chosen.map((message) => messageShown(message, world)))
  })

  app.get(`${at}/:message`, (c) => {
    const channel = world.channel(param(c, 'channel'))
    return c.json(messageShown(world.message(channel, param(c, 'message')), world))
  })

  app.post(at, async (c) => {
    const channel = world.channel(param(c, 'channel'))
    const { json, files } = await bodyOf(c)
    const body = fit(newMessage, json)
    mayWrite(world, channel, files.length > 0)
    const earlier = body.nonce === undefined ? undefined : wire.nonces.get(`${channel.id} ${body.nonce}`)
    if (body.enforce_nonce === true && earlier !== undefined && world.now() - earlier.at < wire.limits.nonce)
      return c.json(messageShown(world.message(channel, earlier.id), world))
    const message = compose(world, channel, world.bot, body, files)
    if (body.nonce !== undefined)
      wire.nonces.set(`${channel.id} ${body.nonce}`, { id: message.id, at: world.now() })
    post(wire, channel, message)
    return c.json(messageShown(message, world))
  })

  app.patch(`${at}/:message`, async (c) => {
    const channel = world.channel(param(c, 'channel'))
    const message = world.message(channel, param(c, 'message'))
    if (message.author.id !== world.bot.id) throw notTheAuthor()
    if (channel.archived) throw threadArchived()
    const { json, files } = await bodyOf(c)
    rewrite(world, message, fit(changedMessage, json), files)
    tellEdited(wire, message)
    return c.json(messageShown(message, world))
  })

  app.delete(`${at}/:message`, (c) => {
    const channel = world.channel(param(c, 'channel'))
    const message = world.message(channel, param(c, 'message'))
    channel.messages.splice(channel.messages.indexOf(message), 1)
    gateway.dispatch(GatewayDispatchEvents.MessageDelete, {
      id: message.id,
      channel_id: channel.id,
      guild_id: world.guildId,
    })
    return c.body(null, 204)
  })

  app.post('/channels/:channel/typing', (c) => {
    world.channel(param(c, 'channel'))
    return c.body(null, 204)
  })
}

/** Puts a message into its channel and tells everyone. */
export function post({ world, gateway }: Wire, channel: Channel, message: Message): void {
  if (channel.archived) {
    channel.archived = false
    gateway.dispatch(GatewayDispatchEvents.ThreadUpdate, channelShown(channel, world))
  }
  channel.messages.push(message)
  const shown = {
    ...messageShown(message, world),
    guild_id: channel.recipient === null ? world.guildId : undefined,
  }
  const member = world.members.get(message.author.id)
  const readable = (intents: number): boolean =>
    (intents & GatewayIntentBits.MessageContent) !== 0 ||
    message.author.id === world.bot.id ||
    message.pings.includes(world.bot.id) ||
    channel.recipient !== null
  gateway.dispatchTo(
    GatewayDispatchEvents.MessageCreate,
    (intents) => ({
      ...shown,
      ...(member === undefined
        ? {}
        : { member: { roles: member.roles, joined_at: '2024-01-01T00:00:00.000Z' } }),
      ...(readable(intents) ? {} : { content: '', embeds: [], attachments: [], components: [] }),
    }),
    channel.recipient === null ? GatewayIntentBits.GuildMessages : GatewayIntentBits.DirectMessages,
  )
}

export function tellEdited({ world, gateway }: Wire, message: Message): void {
  gateway.dispatch(
    GatewayDispatchEvents.MessageUpdate,
    { ...messageShown(message, world), guild_id: world.guildId },
    GatewayIntentBits.GuildMessages,
  )
}
