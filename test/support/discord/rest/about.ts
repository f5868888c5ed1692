import { ChannelType, GatewayIntentBits } from 'discord-api-types/v10'
import type { Hono } from 'hono'
import { channelShown, guildShown, memberShown } from '../payloads.ts'
import { unknownGuild, unknownMember, unknownUser } from '../refusal.ts'
import { commands, fit, oneCommand } from '../shapes.ts'
import { bodyOf, type Env, param, type Wire } from './wire.ts'

/** The bits in an application's flags that say which privileged intents are switched on (for fewer than 100 guilds). */
const limited = { content: 1 << 19, members: 1 << 15, presence: 1 << 13 }

/** Who the bot is, where it is, what it offers. */
export function aboutRoutes(app: Hono<Env>, wire: Wire): void {
  const { world, gateway } = wire

  app.get('/gateway/bot', (c) =>
    c.json({
      url: gateway.url,
      shards: 1,
      session_start_limit: {
        total: 1000,
        remaining: 1000 - gateway.identifies,
        reset_after: 0,
        max_concurrency: 1,
      },
    }),
  )

  const application = () => ({
    id: world.applicationId,
    name: 'cofferdam',
    icon: null,
    description: '',
    bot_public: false,
    bot_require_code_grant: false,
    verify_key: '00'.repeat(32),
    bot: world.bot,
    flags:
      ((gateway.allowed & GatewayIntentBits.MessageContent) === 0 ? 0 : limited.content) |
      ((gateway.allowed & GatewayIntentBits.GuildMembers) === 0 ? 0 : limited.members) |
      ((gateway.allowed & GatewayIntentBits.GuildPresences) === 0 ? 0 : limited.presence),
  })
  app.get('/applications/@me', (c) => c.json(application()))
  app.get('/oauth2/applications/@me', (c) => c.json(application()))
  app.get('/users/@me/guilds', (c) =>
    c.json([{ id: world.guildId, name: 'Guild', owner: false, permissions: '0' }]),
  )

  app.post('/users/@me/channels', async (c) => {
    const body: unknown = (await bodyOf(c)).json
    const id = String(Reflect.get(Object(body), 'recipient_id'))
    const user = world.members.get(id)?.user
    if (user === undefined) throw unknownUser()
    const there = [...world.channels.values()].find(({ recipient }) => recipient?.id === id)
    const channel = there ?? world.addChannel('', { type: ChannelType.DM, recipient: user })
    return c.json(channelShown(channel, world))
  })

  app.get('/users/:user', (c) => {
    // Clients write the @ as %40.
    const id = param(c, 'user')
    const member = world.members.get(id === '@me' ? world.bot.id : id)
    if (member === undefined) throw unknownUser()
    return c.json(member.user)
  })

  const inGuild = (id: string): void => {
    if (id !== world.guildId) throw unknownGuild()
  }
  app.get('/guilds/:guild', (c) => {
    inGuild(param(c, 'guild'))
    return c.json(guildShown(world))
  })
  app.get('/guilds/:guild/channels', (c) => {
    inGuild(param(c, 'guild'))
    return c.json(guildShown(world)['channels'] as object)
  })
  app.get('/guilds/:guild/roles', (c) => {
    inGuild(param(c, 'guild'))
    return c.json(world.roles)
  })
  app.get('/guilds/:guild/members/:user', (c) => {
    inGuild(param(c, 'guild'))
    const id = param(c, 'user')
    const member = world.members.get(id === '@me' ? world.bot.id : id)
    if (member === undefined) throw unknownMember()
    return c.json(memberShown(member))
  })

  const at = '/applications/:application/guilds/:guild/commands'
  app.get(at, (c) => c.json(wire.commands.all))
  app.put(at, async (c) => {
    inGuild(param(c, 'guild'))
    const wanted = fit(commands, (await bodyOf(c)).json)
    wire.commands.puts += 1
    // One of the same name keeps its id.
    wire.commands.all = wanted.map((one) => ({
      ...one,
      id: wire.commands.all.find(({ name }) => name === one.name)?.id ?? world.id(),
      version: world.id(),
      application_id: world.applicationId,
      guild_id: world.guildId,
      type: 1,
    }))
    return c.json(wire.commands.all)
  })
  app.post(at, async (c) => {
    inGuild(param(c, 'guild'))
    const wanted = fit(oneCommand, (await bodyOf(c)).json)
    const made = {
      ...wanted,
      id: world.id(),
      version: world.id(),
      application_id: world.applicationId,
      guild_id: world.guildId,
    }
    wire.commands.all = [...wire.commands.all.filter(({ name }) => name !== wanted.name), made]
    return c.json(made, 201)
  })
}
