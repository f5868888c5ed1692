import type { DiscordSettings, Members } from '../domain/discord.ts'
import { Failure } from '../domain/failure.ts'
import type { Environment } from './environment.ts'
import { repositoryKey } from './remotes.ts'
import type { ConfigFile } from './schema.ts'
import { placeText, readSecret } from './secrets.ts'

/** What the front end on Discord is told; null where there is none. */
export function discordOf(
  file: Pick<ConfigFile, 'discord' | 'repositories'>,
  path: string,
  around: Environment,
): DiscordSettings | null {
  const { discord } = file
  if (discord === undefined) return null
  const { token, guild, channel, owners, operators, viewers, listen } = discord
  if ([owners, operators, viewers].some((ids) => ids.includes(`role:${guild}`)))
    throw new Failure(
      'bad_config',
      `The configuration ${path} cannot be used. role:${guild} under "discord" is @everyone, so that everybody could use Cofferdam: name another role.`,
    )
  return {
    token: readSecret('of Discord', token, path, around),
    tokenFrom: placeText(token),
    guild,
    channel,
    listen: Object.entries(listen).map(([place, { repository }]) => ({
      channel: place,
      repository: repository === undefined ? null : repositoryKey(repository, file, path, around),
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
