import {
  type APIApplication,
  type APIChannel,
  type APIGuild,
  type APIGuildMember,
  type APIUser,
  ApplicationFlags,
  ChannelType,
  DiscordAPIError,
  REST,
  Routes,
} from 'discord.js'
import type { Finding } from '../domain/control-plane.ts'
import type { DiscordSettings } from '../domain/discord.ts'
import { messageOf } from '../domain/failure.ts'
import { commands } from './commands/definitions.ts'
import { bodyOf } from './messages/message.ts'
import { homeRights, invitedBits, listenRights, permissionsIn } from './permissions.ts'

/**
 * Goes through all that the front end on Discord needs, in order, up to the first problem that hides what comes after it.
 * Registers the commands and sends a test message; never rejects.
 */
export async function* setUp(settings: DiscordSettings, api?: string): AsyncGenerator<Finding> {
  const { token, tokenFrom, guild, channel, listen, members } = settings
  if (token === null)
    return yield problem(
      'token',
      `There is none: make one in Discord's developer portal (Bot, Reset Token) and put it into ${tokenFrom}.`,
    )
  const rest = new REST({ timeout: 10_000, ...(api === undefined ? {} : { api }) }).setToken(token.reveal())

  const app = await tried(
    'token',
    async () => (await rest.get(Routes.currentApplication())) as APIApplication,
  )
  if ('state' in app) return yield app
  yield ok('token', `It is that of the application ${app.name} (${app.id}).`)

  if (listen.length > 0) {
    const has = ApplicationFlags.GatewayMessageContent | ApplicationFlags.GatewayMessageContentLimited
    yield (app.flags & has) === 0
      ? problem(
          'intent',
          'Message Content is switched off: switch it on in the developer portal (Bot, Privileged Gateway Intents), or take `listen` out of the configuration.',
        )
      : ok('intent', 'Message Content is switched on.')
  } else yield ok('intent', 'None is needed: commands and buttons alone are listened to.')

  const invite = `https://discord.com/oauth2/authorize?client_id=${app.id}&scope=bot+applications.commands&permissions=${invitedBits}&guild_id=${guild}`
  const server = await tried(
    'guild',
    async () => (await rest.get(Routes.guild(guild))) as APIGuild,
    `The bot is not in the guild ${guild}: open ${invite} and let it in.`,
  )
  if ('state' in server) return yield server
  yield ok('guild', `The bot is in ${server.name}. It is let in again, with all it needs, by ${invite}`)

  // In old applications the bot has another id than they.
  const bot = await tried('bot', async () => (await rest.get(Routes.user())) as APIUser)
  if ('state' in bot) return yield bot
  const member = await tried(
    'bot',
    async () => (await rest.get(Routes.guildMember(guild, bot.id))) as APIGuildMember,
  )
  if ('state' in member) return yield member
  const at = { rest, server, user: bot.id, member, invite }
  const home = await checked(at, 'channel', channel, homeRights)
  yield home
  if (home.state !== 'ok') return
  for (const { channel: place } of listen) {
    if (place !== channel) yield await checked(at, 'listen', place, listenRights)
  }

  const registered = await tried('commands', async () =>
    rest.put(Routes.applicationGuildCommands(app.id, guild), { body: commands }),
  )
  if (isFinding(registered)) return yield registered
  yield ok('commands', `${commands.length} are registered.`)

  yield members.owner.users.length + members.owner.roles.length === 0
    ? warning(
        'owners',
        'There are none, so nobody can approve anything: put your own id into `discord.owners`.',
      )
    : ok('owners', `${members.owner.users.length} people and ${members.owner.roles.length} roles.`)

  const body = bodyOf({ content: 'Cofferdam can write here. Begin with `/task_start` or `/ask`.' })
  const sent = await tried('message', async () => rest.post(Routes.channelMessages(channel), { body }))
  if (isFinding(sent)) return yield sent
  yield ok('message', 'A test message is in the channel.')
}

interface Standpoint {
  readonly rest: REST
  readonly server: APIGuild
  /** The bot. */
  readonly user: string
  readonly member: APIGuildMember
  readonly invite: string
}

/** Whether a channel is one to write in, and the bot may do there what it has to. */
async function checked(
  { rest, server, user, member, invite }: Standpoint,
  name: string,
  channel: string,
  rights: Readonly<Record<string, bigint>>,
): Promise<Finding> {
  const place = await tried(
    name,
    async () => (await rest.get(Routes.channel(channel))) as APIChannel,
    `The channel ${channel} cannot be seen: give the bot the right to, or name another.`,
  )
  if ('state' in place) return place
  if (!('guild_id' in place) || place.guild_id !== server.id || place.type !== ChannelType.GuildText)
    return problem(
      name,
      `The channel ${channel} is no text channel of ${server.name}: name one of those, by "Copy Channel ID".`,
    )
  const overwrites = place.permission_overwrites ?? []
  const allowed = permissionsIn({ guild: server.id, user, member, roles: server.roles, overwrites })
  const missing = Object.keys(rights).filter((right) => (allowed & (rights[right] ?? 0n)) === 0n)
  return missing.length > 0
    ? problem(
        name,
        `In the channel ${channel} the bot lacks: ${missing.join(', ')}. Give it those, in the channel's settings or by ${invite}`,
      )
    : ok(name, `The bot may do in ${place.name ?? channel} what it has to.`)
}

/** @param refusal what is said where Discord answers that it is not there, or not for the bot */
async function tried<T>(name: string, work: () => Promise<T>, refusal = ''): Promise<T | Finding> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof DiscordAPIError && error.status === 401)
      return problem(
        name,
        'Discord does not know it: reset it in the developer portal, and put the new one in its place.',
      )
    if (error instanceof DiscordAPIError && error.status < 500)
      return problem(name, `${refusal} Discord answered: ${messageOf(error)}`.trim())
    return problem(
      name,
      `Discord cannot be reached, or fails, so that nothing is known of it (${messageOf(error)}): try again later.`,
    )
  }
}

const isFinding = (value: unknown): value is Finding =>
  typeof value === 'object' && value !== null && 'state' in value

const ok = (name: string, text: string): Finding => ({ name, state: 'ok', text })
const warning = (name: string, text: string): Finding => ({ name, state: 'warning', text })
const problem = (name: string, text: string): Finding => ({ name, state: 'problem', text })
