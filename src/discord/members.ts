import { type Caller, roles } from '../domain/caller.ts'
import type { DiscordSettings } from '../domain/discord.ts'

/** Who somebody on Discord is here; null where they are nobody. Asked at every call, so who loses a role can do nothing more. */
export function callerOf(
  user: string,
  theirRoles: readonly string[],
  { members }: Pick<DiscordSettings, 'members'>,
): Caller | null {
  const role = roles.find(
    (one) => members[one].users.includes(user) || members[one].roles.some((id) => theirRoles.includes(id)),
  )
  return role === undefined ? null : { actor: { kind: 'discord', id: user }, role }
}

/** What somebody is told who may not. */
export const stranger =
  'Only people whom the configuration of Cofferdam names (`discord.owners`, `operators`, `viewers`) can do that.'
