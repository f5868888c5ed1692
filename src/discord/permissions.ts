import {
  type APIGuildMember,
  type APIOverwrite,
  type APIRole,
  OverwriteType,
  PermissionFlagsBits,
} from 'discord.js'

/** What the bot has to be allowed in the channel of the status messages, as Discord's settings call it. */
export const homeRights: Readonly<Record<string, bigint>> = {
  'View Channel': PermissionFlagsBits.ViewChannel,
  'Send Messages': PermissionFlagsBits.SendMessages,
  'Create Public Threads': PermissionFlagsBits.CreatePublicThreads,
  'Send Messages in Threads': PermissionFlagsBits.SendMessagesInThreads,
  'Embed Links': PermissionFlagsBits.EmbedLinks,
  'Attach Files': PermissionFlagsBits.AttachFiles,
  'Read Message History': PermissionFlagsBits.ReadMessageHistory,
  'Add Reactions': PermissionFlagsBits.AddReactions,
}

/** The same in another channel whose messages are read as wishes. */
export const listenRights: Readonly<Record<string, bigint>> = {
  'View Channel': PermissionFlagsBits.ViewChannel,
  'Send Messages': PermissionFlagsBits.SendMessages,
  'Read Message History': PermissionFlagsBits.ReadMessageHistory,
  'Add Reactions': PermissionFlagsBits.AddReactions,
}

export const invitedBits: bigint = Object.values(homeRights).reduce((all, bit) => all | bit, 0n)

export interface Standing {
  readonly guild: string
  readonly user: string
  readonly member: Pick<APIGuildMember, 'roles'>
  readonly roles: readonly Pick<APIRole, 'id' | 'permissions'>[]
  readonly overwrites: readonly APIOverwrite[]
}

/** The permissions that somebody has in a channel, as Discord computes them (its reference: "Permission Overwrites"). */
export function permissionsIn({ guild, user, member, roles, overwrites }: Standing): bigint {
  const theirs = new Set([guild, ...member.roles])
  const base = roles
    .filter(({ id }) => theirs.has(id))
    .reduce((all, { permissions }) => all | BigInt(permissions), 0n)
  if ((base & PermissionFlagsBits.Administrator) !== 0n) return ~0n
  const over = (bits: bigint, chosen: readonly APIOverwrite[]): bigint => {
    const denied = chosen.reduce((all, { deny }) => all | BigInt(deny), 0n)
    const allowed = chosen.reduce((all, { allow }) => all | BigInt(allow), 0n)
    return (bits & ~denied) | allowed
  }
  const ofRole = (isMeant: (id: string) => boolean) =>
    overwrites.filter(({ id, type }) => type === OverwriteType.Role && isMeant(id))
  const everyone = over(
    base,
    ofRole((id) => id === guild),
  )
  const roled = over(
    everyone,
    ofRole((id) => id !== guild && theirs.has(id)),
  )
  return over(
    roled,
    overwrites.filter(({ id, type }) => type === OverwriteType.Member && id === user),
  )
}
