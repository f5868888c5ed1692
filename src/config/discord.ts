import { dirname } from 'node:path'
import type { DiscordSettings, Members } from '../domain/discord.ts'
import type { Environment } from './environment.ts'
import { expand, resolved } from './places.ts'
import type { ConfigFile } from './schema.ts'
import { placeText, readSecret } from './secrets.ts'

/** What the front end on Discord is told; null where there is none. */
export function discordOf(
  { discord }: Pick<ConfigFile, 'discord'>,
  path: string,
  around: Environment,
): DiscordSettings | null {
  if (discord === undefined) return null
  const { token, guild, channel, owners, operators, viewers, listen } = discord
  return {
    token: readSecret('of Discord', token, path, around),
    tokenFrom: placeText(token),
    guild,
    channel,
    listen: Object.entries(listen).map(([place, { repository }]) => ({
      channel: place,
      repository: repository === undefined ? null : resolved(expand(repository, dirname(path), around)),
    })),
    members: { owner: membersOf(owners), operator: membersOf(operators), viewer: membersOf(viewers) },
  }
}

function membersOf(written: readonly string[]): Members {
  const role = 'role:'
  return {
    users: written.filter((id) => !id.startsWith(role)),
    roles: written.filter((id) => id.startsWith(role)).map((id) => id.slice(role.length)),
  }
}
