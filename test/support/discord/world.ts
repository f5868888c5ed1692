import {
  type APIMessage,
  type APIRole,
  type APIUser,
  ChannelType,
  PermissionFlagsBits,
  type RoleFlags,
  ThreadAutoArchiveDuration,
} from 'discord-api-types/v10'
import { snowflakes } from './clock.ts'
import { missingAccess, unknownChannel, unknownMessage } from './refusal.ts'

export interface Member {
  readonly user: APIUser
  readonly roles: string[]
}

/** A text channel, a thread in one, or a direct conversation with the bot. */
export interface Channel {
  readonly id: string
  readonly type: ChannelType.GuildText | ChannelType.PublicThread | ChannelType.DM
  readonly parent: string | null
  name: string
  archived: boolean
  locked: boolean
  archiveAfter: ThreadAutoArchiveDuration
  /** What the bot may not do here, on top of what its roles give it. */
  readonly denied: Set<bigint>
  /** The person of a direct conversation. */
  readonly recipient: APIUser | null
  readonly messages: Message[]
}

/** A message, with what Discord does not show of it. */
export interface Message extends Omit<APIMessage, 'reactions'> {
  reactions: { emoji: string; users: string[] }[]
  /** The people whom it really pinged when it was sent. */
  pings: readonly string[]
  /** The files that came with it. */
  files: readonly SentFile[]
  /** How often it was edited. */
  edits: number
}

export interface SentFile {
  readonly name: string
  readonly bytes: Buffer
}

/** What there is: one application with its bot, one guild, people, channels, threads, messages. */
export class World {
  readonly id: (at?: number) => string
  readonly bot: APIUser
  readonly applicationId: string
  readonly guildId: string
  readonly roles: APIRole[]
  /** Whether who connects is told which threads there are. */
  tellsOfThreads = true
  readonly members = new Map<string, Member>()
  readonly channels = new Map<string, Channel>()
  readonly now: () => number

  constructor(now: () => number) {
    this.now = now
    this.id = snowflakes(now)
    this.applicationId = this.id()
    // Another id than the application's, as those of before 2016 have it: who takes one for the other shows.
    this.bot = { ...person(this.id(), 'cofferdam'), bot: true }
    this.guildId = this.id()
    const everyone = Object.values(PermissionFlagsBits).reduce((all, bit) => all | bit, 0n)
    this.roles = [role(this.guildId, '@everyone', everyone & ~PermissionFlagsBits.Administrator)]
    this.members.set(this.bot.id, { user: this.bot, roles: [] })
  }

  addRole(name: string): string {
    const made = role(this.id(), name, 0n)
    this.roles.push(made)
    return made.id
  }

  addMember(name: string, roles: readonly string[]): Member {
    const member = { user: person(this.id(), name), roles: [...roles] }
    this.members.set(member.user.id, member)
    return member
  }

  addChannel(name: string, more: Partial<Channel> = {}): Channel {
    const channel: Channel = {
      id: this.id(),
      type: ChannelType.GuildText,
      parent: null,
      name,
      archived: false,
      locked: false,
      archiveAfter: ThreadAutoArchiveDuration.ThreeDays,
      denied: new Set(),
      recipient: null,
      messages: [],
      ...more,
    }
    this.channels.set(channel.id, channel)
    return channel
  }

  channel(id: string): Channel {
    const found = this.channels.get(id)
    if (found === undefined) throw unknownChannel()
    if (this.botLacks(found, PermissionFlagsBits.ViewChannel)) throw missingAccess()
    return found
  }

  message(channel: Channel, id: string): Message {
    const found = channel.messages.find((one) => one.id === id)
    if (found === undefined) throw unknownMessage()
    return found
  }

  threads(of: Channel): readonly Channel[] {
    return [...this.channels.values()].filter(({ parent }) => parent === of.id)
  }

  botLacks(channel: Channel, bit: bigint): boolean {
    const above = channel.parent === null ? undefined : this.channels.get(channel.parent)
    return channel.denied.has(bit) || (above?.denied.has(bit) ?? false)
  }
}

function person(id: string, username: string): APIUser {
  return { id, username, discriminator: '0', global_name: username, avatar: null }
}

const noFlags: RoleFlags & 0 = 0 as never

function role(id: string, name: string, permissions: bigint): APIRole {
  return {
    id,
    name,
    color: 0,
    colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
    hoist: false,
    position: 0,
    permissions: String(permissions),
    managed: false,
    mentionable: false,
    flags: noFlags,
  }
}
