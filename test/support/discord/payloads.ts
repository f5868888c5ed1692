import {
  type APIChannel,
  type APIGuildMember,
  type APIMessage,
  ChannelType,
  GuildMemberFlags,
  OverwriteType,
} from 'discord-api-types/v10'
import type { Channel, Member, Message, World } from './world.ts'

// What Discord shows of the world, in its own words.

export function messageShown(message: Message, world: World): APIMessage {
  const { pings: _pings, files: _files, edits: _edits, reactions, ...shown } = message
  return {
    ...shown,
    ...(reactions.length === 0
      ? {}
      : {
          reactions: reactions.map(({ emoji, users }) => ({
            emoji: { id: null, name: emoji },
            count: users.length,
            count_details: { burst: 0, normal: users.length },
            me: users.includes(world.bot.id),
            me_burst: false,
            burst_colors: [],
          })),
        }),
  }
}

export function channelShown(channel: Channel, world: World): APIChannel {
  const { id, name } = channel
  const last = channel.messages.at(-1)?.id ?? null
  if (channel.type === ChannelType.DM) {
    return {
      id,
      type: channel.type,
      name: null,
      last_message_id: last,
      recipients: channel.recipient === null ? [] : [channel.recipient],
    }
  }
  if (channel.type === ChannelType.PublicThread) {
    return {
      id,
      type: channel.type,
      name,
      guild_id: world.guildId,
      parent_id: channel.parent ?? '',
      owner_id: world.bot.id,
      last_message_id: last,
      message_count: channel.messages.length,
      member_count: 1,
      total_message_sent: channel.messages.length,
      rate_limit_per_user: 0,
      thread_metadata: {
        archived: channel.archived,
        locked: channel.locked,
        auto_archive_duration: channel.archiveAfter,
        archive_timestamp: new Date(world.now()).toISOString(),
      },
    }
  }
  return {
    id,
    type: channel.type,
    name,
    guild_id: world.guildId,
    parent_id: null,
    position: 0,
    topic: null,
    nsfw: false,
    rate_limit_per_user: 0,
    last_message_id: last,
    permission_overwrites: [
      {
        id: world.bot.id,
        type: OverwriteType.Member,
        allow: '0',
        deny: String([...channel.denied].reduce((all, bit) => all | bit, 0n)),
      },
    ],
  }
}

export function memberShown(member: Member): APIGuildMember {
  return {
    user: member.user,
    roles: member.roles,
    joined_at: '2024-01-01T00:00:00.000Z',
    deaf: false,
    mute: false,
    flags: GuildMemberFlags.CompletedOnboarding,
  }
}

/** What GUILD_CREATE carries, and GET of the guild for the most part. */
export function guildShown(world: World): Readonly<Record<string, unknown>> {
  const channels = [...world.channels.values()]
  const inGuild = (type: ChannelType) =>
    channels.filter((one) => one.type === type && !one.archived).map((one) => channelShown(one, world))
  return {
    id: world.guildId,
    name: 'Guild',
    icon: null,
    splash: null,
    discovery_splash: null,
    banner: null,
    description: null,
    vanity_url_code: null,
    owner_id: world.bot.id,
    afk_channel_id: null,
    afk_timeout: 300,
    verification_level: 0,
    default_message_notifications: 0,
    explicit_content_filter: 0,
    roles: world.roles,
    emojis: [],
    stickers: [],
    features: [],
    mfa_level: 0,
    nsfw_level: 0,
    premium_tier: 0,
    preferred_locale: 'en-US',
    system_channel_id: null,
    system_channel_flags: 0,
    rules_channel_id: null,
    public_updates_channel_id: null,
    joined_at: '2024-01-01T00:00:00.000Z',
    large: false,
    unavailable: false,
    member_count: world.members.size,
    members: [...world.members.values()].map(memberShown),
    channels: inGuild(ChannelType.GuildText),
    threads: world.tellsOfThreads ? inGuild(ChannelType.PublicThread) : [],
    voice_states: [],
    presences: [],
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
  }
}
