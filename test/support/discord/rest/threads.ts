import { ChannelType, GatewayDispatchEvents, PermissionFlagsBits } from 'discord-api-types/v10'
import type { Hono } from 'hono'
import { channelShown } from '../payloads.ts'
import { missingPermissions, threadArchived, threadExists } from '../refusal.ts'
import { changedThread, fit, newThread } from '../shapes.ts'
import type { Channel } from '../world.ts'
import { bodyOf, type Env, param, type Wire } from './wire.ts'

export function threadRoutes(app: Hono<Env>, wire: Wire): void {
  const { world, gateway } = wire

  const begin = (parent: Channel, body: unknown, id: string): Channel => {
    const { name, auto_archive_duration: archiveAfter } = fit(newThread, body)
    if (world.botLacks(parent, PermissionFlagsBits.CreatePublicThreads)) throw missingPermissions()
    const thread = world.addChannel(name, {
      id,
      type: ChannelType.PublicThread,
      parent: parent.id,
      ...(archiveAfter === undefined ? {} : { archiveAfter }),
    })
    gateway.dispatch(GatewayDispatchEvents.ThreadCreate, {
      ...channelShown(thread, world),
      newly_created: true,
    })
    return thread
  }

  app.get('/channels/:channel', (c) => c.json(channelShown(world.channel(param(c, 'channel')), world)))

  app.post('/channels/:channel/threads', async (c) => {
    const thread = begin(world.channel(param(c, 'channel')), (await bodyOf(c)).json, world.id())
    return c.json(channelShown(thread, world), 201)
  })

  // A thread that begins at a message has that message's id.
  app.post('/channels/:channel/messages/:message/threads', async (c) => {
    const parent = world.channel(param(c, 'channel'))
    const message = world.message(parent, param(c, 'message'))
    if (world.channels.has(message.id)) throw threadExists()
    const thread = begin(parent, (await bodyOf(c)).json, message.id)
    return c.json(channelShown(thread, world), 201)
  })

  app.patch('/channels/:channel', async (c) => {
    const channel = world.channel(param(c, 'channel'))
    const body = fit(changedThread, (await bodyOf(c)).json)
    if (channel.archived && body.archived !== false) throw threadArchived()
    if (body.locked !== undefined && world.botLacks(channel, PermissionFlagsBits.ManageThreads))
      throw missingPermissions()
    channel.name = body.name ?? channel.name
    channel.archived = body.archived ?? channel.archived
    channel.locked = body.locked ?? channel.locked
    channel.archiveAfter = body.auto_archive_duration ?? channel.archiveAfter
    gateway.dispatch(GatewayDispatchEvents.ThreadUpdate, channelShown(channel, world))
    return c.json(channelShown(channel, world))
  })

  app.put('/channels/:channel/thread-members/:user', (c) => {
    world.channel(param(c, 'channel'))
    return c.body(null, 204)
  })

  app.get('/guilds/:guild/threads/active', (c) => {
    const open = [...world.channels.values()].filter(
      ({ type, archived }) => type === ChannelType.PublicThread && !archived,
    )
    return c.json({ threads: open.map((thread) => channelShown(thread, world)), members: [] })
  })
}
