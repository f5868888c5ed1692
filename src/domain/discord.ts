import type { Role } from './caller.ts'
import type { Secret } from './secret.ts'

/** A Discord front end as it is configured. Ids are Discord's own. */
export interface DiscordSettings {
  /** Null where its variable is not set. */
  readonly token: Secret | null
  /** Where the token is looked for, for people. */
  readonly tokenFrom: string
  readonly guild: string
  /** Where the status message of each task stands, with its thread beneath. */
  readonly channel: string
  /** Channels whose messages are read as wishes; with a repository that they mean where they name none. */
  readonly listen: readonly { readonly channel: string; readonly repository: string | null }[]
  /** Who may do what. One who is in several is what comes first: owner, operator, viewer. */
  readonly members: Readonly<Record<Role, Members>>
}

/** By id. */
export interface Members {
  readonly users: readonly string[]
  readonly roles: readonly string[]
}

/** How a front end that keeps a connection stands. `refused`: it will not be tried again before a restart. */
export interface DiscordState {
  readonly state: 'connecting' | 'ready' | 'refused'
  /** Since when, epoch ms. */
  readonly since: number
  /** A sentence for people; what to do where it is not ready. */
  readonly text: string
}
