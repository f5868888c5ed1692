import { ChannelType, OverwriteType, PermissionFlagsBits } from 'discord.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { permissionsIn } from '../../src/discord/permissions.ts'
import { setUp } from '../../src/discord/setup.ts'
import type { DiscordSettings } from '../../src/domain/discord.ts'
import { Secret } from '../../src/domain/secret.ts'
import { type LocalDiscord, openDiscord } from '../support/discord/discord.ts'
import type { Channel } from '../support/discord/world.ts'

let discord: LocalDiscord
let channel: Channel
let settings: DiscordSettings

beforeEach(async () => {
  discord = await openDiscord()
  channel = discord.channel('tasks')
  const nobody = { users: [], roles: [] }
  settings = {
    token: new Secret('of Discord', discord.token),
    tokenFrom: 'the environment variable DISCORD_TOKEN',
    guild: discord.world.guildId,
    channel: channel.id,
    listen: [],
    members: { owner: { users: ['1'], roles: [] }, operator: nobody, viewer: nobody },
  }
})
afterEach(() => discord[Symbol.asyncDispose]())

async function found(changed: Partial<DiscordSettings> = {}): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const { name, state, text } of setUp({ ...settings, ...changed }, discord.api))
    lines.push(`${state} ${name}: ${text}`)
  return lines
}

describe('setting up Discord', () => {
  it('goes through all of it, registers the commands and sends a message', async () => {
    expect((await found()).map((line) => line.split(':')[0])).toEqual([
      'ok token',
      'ok intent',
      'ok guild',
      'ok channel',
      'ok commands',
      'ok owners',
      'ok message',
    ])
    expect(discord.commands.all.map(({ name }) => name)).toContain('task_start')
    expect(channel.messages.map(({ content }) => content)).toEqual([
      'Cofferdam can write here. Begin with `/task_start` or `/ask`.',
    ])
  })

  it.each<[string, Partial<DiscordSettings>, RegExp]>([
    ['no token', { token: null }, /^problem token: There is none: .*DISCORD_TOKEN/],
    [
      'a bad token',
      { token: new Secret('of Discord', 'another.token') },
      /^problem token: Discord does not know it: reset it/,
    ],
    [
      'another guild',
      { guild: '100000000000000001' },
      /^problem guild: The bot is not in the guild .*client_id=\d+&scope=bot/,
    ],
    [
      'another channel',
      { channel: '100000000000000001' },
      /^problem channel: The channel 100000000000000001 cannot be seen/,
    ],
  ])('stops at %s and says what to do', async (_, changed, last) => {
    const lines = await found(changed)
    expect(lines.at(-1)).toMatch(last)
    expect([discord.commands.puts, channel.messages]).toEqual([0, []])
  })

  it('stops at a place that is no text channel', async () => {
    const thread = discord.world.addChannel('a thread', {
      type: ChannelType.PublicThread,
      parent: channel.id,
    })
    expect((await found({ channel: thread.id })).at(-1)).toMatch(/^problem channel: .* is no text channel/)
  })

  it('names the rights that are missing', async () => {
    channel.denied.add(PermissionFlagsBits.CreatePublicThreads).add(PermissionFlagsBits.AttachFiles)
    expect((await found()).at(-1)).toMatch(
      /^problem channel: In the channel \d+ the bot lacks: Create Public Threads, Attach Files\./,
    )
  })

  it('looks at each channel that is listened to as well, and goes on', async () => {
    const [good, mute] = [discord.channel('good'), discord.channel('mute')]
    mute.denied.add(PermissionFlagsBits.AddReactions).add(PermissionFlagsBits.AttachFiles)
    const listen = [channel.id, good.id, mute.id, '100000000000000001'].map((id) => ({
      channel: id,
      repository: null,
    }))
    const lines = await found({ listen })
    expect(lines.filter((line) => line.includes(' listen: '))).toEqual([
      'ok listen: The bot may do in good what it has to.',
      expect.stringMatching(
        new RegExp(`^problem listen: In the channel ${mute.id} the bot lacks: Add Reactions\\.`),
      ),
      expect.stringMatching(/^problem listen: The channel 100000000000000001 cannot be seen/),
    ])
    expect(lines.at(-1)).toMatch(/^ok message/)
  })

  it.each([
    ['token', /\/applications\/@me$/],
    ['guild', /^\/guilds\/\d+$/],
    ['channel', /^\/channels\/\d+$/],
  ])('does not take an outage for something wrong with the %s', async (name, path) => {
    discord.rest.faults.next('GET', path, { kind: 'status', status: 503 }, 9)
    expect((await found()).at(-1)).toMatch(
      new RegExp(`^problem ${name}: Discord cannot be reached, or fails, so that nothing is known of it`),
    )
  })

  it('says so where there is no Discord at all', async () => {
    const lines: string[] = []
    for await (const { state, text } of setUp(settings, 'http://127.0.0.1:1/api'))
      lines.push(`${state} ${text}`)
    expect(lines).toEqual([expect.stringMatching(/^problem Discord cannot be reached/)])
  })

  it('says that nobody can approve anything, and which intent is switched off', async () => {
    discord.gateway.allowed = 0
    const nobody = { users: [], roles: [] }
    const lines = await found({
      members: { ...settings.members, owner: nobody },
      listen: [{ channel: channel.id, repository: null }],
    })
    expect(lines.filter((line) => !line.startsWith('ok'))).toEqual([
      expect.stringMatching(/^problem intent: Message Content is switched off/),
      expect.stringMatching(/^warning owners: There are none/),
    ])
  })
})

describe('the permissions in a channel', () => {
  const { ViewChannel, SendMessages, Administrator } = PermissionFlagsBits
  const base = { guild: 'g', user: 'u', member: { roles: ['r'] } }
  const roles = (everyone: bigint, own: bigint) => [
    { id: 'g', permissions: String(everyone) },
    { id: 'r', permissions: String(own) },
    { id: 'other', permissions: String(~0n & 0xffffn) },
  ]
  const over = (id: string, type: OverwriteType, allow: bigint, deny: bigint) => ({
    id,
    type,
    allow: String(allow),
    deny: String(deny),
  })

  it.each([
    [
      'are those of everyone and of their roles',
      roles(ViewChannel, SendMessages),
      [],
      ViewChannel | SendMessages,
    ],
    [
      'of an administrator are all',
      roles(Administrator, 0n),
      [over('u', OverwriteType.Member, 0n, ViewChannel)],
      ~0n,
    ],
    [
      'a role gives back what everyone is denied',
      roles(ViewChannel, 0n),
      [over('g', OverwriteType.Role, 0n, ViewChannel), over('r', OverwriteType.Role, ViewChannel, 0n)],
      ViewChannel,
    ],
    [
      'a member has the last word',
      roles(ViewChannel, 0n),
      [over('r', OverwriteType.Role, ViewChannel, 0n), over('u', OverwriteType.Member, 0n, ViewChannel)],
      0n,
    ],
    [
      'others do not count',
      roles(0n, 0n),
      [over('other', OverwriteType.Role, ViewChannel, 0n), over('v', OverwriteType.Member, ViewChannel, 0n)],
      0n,
    ],
  ])('%s', (_, theirs, overwrites, expected) => {
    expect(permissionsIn({ ...base, roles: theirs, overwrites })).toBe(expected)
  })
})
