import type { RESTPostAPIChannelMessageJSONBody } from 'discord.js'
import type { Members } from '../../domain/discord.ts'
import type { Actor } from '../../domain/task.ts'
import { escaped } from '../text.ts'

export interface SentFile {
  readonly name: string
  readonly text: string
}

/** A message as it is to be sent; nobody is pinged whom `pings` does not name. */
export interface Outgoing {
  readonly content?: string
  readonly embeds?: RESTPostAPIChannelMessageJSONBody['embeds']
  readonly components?: RESTPostAPIChannelMessageJSONBody['components']
  readonly pings?: Members
  readonly files?: readonly SentFile[]
}

/** As Discord's interface takes it. What an edit does not name stays, so buttons that are gone are named. */
export function bodyOf({
  content,
  embeds,
  components,
  pings = nobody,
}: Outgoing): RESTPostAPIChannelMessageJSONBody {
  return {
    content: content ?? '',
    embeds: embeds ?? [],
    components: components ?? [],
    allowed_mentions: { parse: [], users: [...pings.users], roles: [...pings.roles] },
  }
}

export const nobody: Members = { users: [], roles: [] }

/** Those who are to be pinged, as the content of a message names them. */
export function mentions({ users, roles }: Members): string {
  return [...users.map((id) => `<@${id}>`), ...roles.map((id) => `<@&${id}>`)].join(' ')
}

/** Somebody in a sentence: shown as a mention, which pings only where the message says so. */
export function nameOf({ kind, id }: Actor): string {
  if (kind === 'discord') return `<@${id}>`
  return kind === 'local' ? escaped(id) : `the ${kind} ${escaped(id)}`
}

export const colours = {
  needsYou: 0xd9_8e_04,
  good: 0x2e_a0_43,
  bad: 0xd7_3a_49,
  underWay: 0x38_8b_fd,
  over: 0x6e_76_81,
}
