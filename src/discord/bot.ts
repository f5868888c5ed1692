import { setTimeout as sleep } from 'node:timers/promises'
import {
  ActivityType,
  Client,
  DiscordjsError,
  DiscordjsErrorCodes,
  Events,
  GatewayCloseCodes,
  GatewayDispatchEvents,
  GatewayIntentBits,
  type GatewayMessageCreateDispatchData,
  type REST,
  Routes,
  SimpleShardingStrategy,
} from 'discord.js'
import type { DiscordState, DiscordSettings } from '../domain/discord.ts'
import { messageOf } from '../domain/failure.ts'
import { commands } from './commands/definitions.ts'
import { sameCommands } from './commands/same.ts'
import { interactions, type InteractionsDeps } from './interactions.ts'
import { Logins } from './logins.ts'
import { pauseAfter } from './pauses.ts'
import { patience } from './sending.ts'
import { destinationOf } from './telling.ts'
import { Talk } from './talk.ts'

export interface BotDeps extends InteractionsDeps {
  readonly settings: DiscordSettings
  /** Another address than Discord's own, for tests. */
  readonly api?: string
  readonly clock: () => number
  readonly later: (ms: number, act: () => void) => () => void
  readonly log: (level: 'info' | 'warn', text: string, more: Readonly<Record<string, unknown>>) => void
}

/** The library waits for ever, or for half a minute, where the other end is silent while it is destroyed, ms. */
const closeMs = 2000
const longestPauseMs = 10 * 60_000

/** What Discord will not take another time: to try again would only use up the day's logins. */
const hopeless: ReadonlyMap<number, string> = new Map([
  [
    GatewayCloseCodes.AuthenticationFailed,
    'Discord does not know the token: put a good one in its place and restart.',
  ],
  [
    GatewayCloseCodes.DisallowedIntents,
    'Discord has the Message Content intent switched off for this application: switch it on in the developer portal, or take `listen` out of the configuration, and restart.',
  ],
  [GatewayCloseCodes.InvalidIntents, 'Discord does not know these intents: update Cofferdam.'],
  [GatewayCloseCodes.InvalidAPIVersion, 'Discord no longer speaks this version: update Cofferdam.'],
  [
    GatewayCloseCodes.ShardingRequired,
    'This bot is in too many guilds for one connection: use one of your own.',
  ],
])

/** The connection to Discord: logs in with patience, and never again where Discord says no. */
export class Bot {
  readonly #deps: BotDeps
  readonly #logins: Logins
  readonly #talk: Talk
  #client: Client
  #connection: DiscordState
  #attempts = 0
  #endTimer: () => void = () => undefined
  #endRegistering: () => void = () => undefined
  #closed = false

  constructor(deps: BotDeps) {
    this.#deps = deps
    this.#logins = new Logins(deps)
    this.#talk = new Talk(deps, () => this.#client.rest)
    this.#client = this.#newClient()
    this.#connection = { state: 'connecting', since: deps.clock(), text: 'Discord is being connected.' }
  }

  /** For requests; it knows the token also while there is no connection. */
  get rest(): REST {
    return this.#client.rest
  }

  get connection(): DiscordState {
    return this.#connection
  }

  start(): void {
    const { book, settings } = this.#deps
    const { token, tokenFrom, listen } = settings
    // What is written while nobody listens is not meant for who listens later.
    if (listen.length === 0) book.forget(destinationOf(settings), { kind: 'heard' })
    if (token === null)
      return this.#becomes(
        'refused',
        `Discord is configured, but its token is not set: put it in ${tokenFrom} and restart.`,
      )
    void this.#login(token.reveal())
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#endTimer()
    this.#endRegistering()
    this.#talk.close()
    const inTime = new AbortController()
    const late = sleep(closeMs, undefined, { signal: inTime.signal }).catch(() => undefined)
    await Promise.race([this.#client.destroy(), late])
    inTime.abort()
  }

  async #login(token: string): Promise<void> {
    if (this.#closed) return
    this.#attempts += 1
    this.#client = this.#newClient()
    try {
      await this.#client.login(token)
    } catch (error) {
      await this.#client.destroy()
      if (this.#closed) return
      const said = refusalOf(error)
      if (said !== null) return this.#becomes('refused', said)
      this.#becomes('connecting', `Discord cannot be reached (${messageOf(error)}): it is tried again.`)
      this.#client.rest.setToken(token)
      this.#endTimer = this.#deps.later(
        pauseAfter(this.#attempts, longestPauseMs),
        () => void this.#login(token),
      )
    }
  }

  #newClient(): Client {
    const { settings, api, log, report } = this.#deps
    const { Guilds, GuildMessages, MessageContent } = GatewayIntentBits
    const client = new Client({
      intents: settings.listen.length === 0 ? [Guilds] : [Guilds, GuildMessages, MessageContent],
      allowedMentions: { parse: [] },
      presence: { activities: [{ name: 'coding tasks', type: ActivityType.Watching }] },
      rest: { ...patience, ...(api === undefined ? {} : { api }) },
      ws: {
        buildIdentifyThrottler: () => this.#logins,
        buildStrategy: (manager) => {
          const { options } = manager
          const sessionOf = options.retrieveSessionInfo.bind(options)
          // It is asked for before each connection. The library makes one also where it was destroyed while it asked for the
          // address, before its login was answered, or in the half second before it tries again: those wait for ever.
          options.retrieveSessionInfo = (shard) =>
            this.#closed ? new Promise(() => undefined) : sessionOf(shard)
          return new SimpleShardingStrategy(manager)
        },
      },
    })
    const { token } = settings
    if (token !== null) client.rest.setToken(token.reveal())
    client.on(Events.ClientReady, (ready) => {
      this.#attempts = 0
      this.#becomes('ready', `Discord is connected as ${ready.user.tag}.`)
      void this.#register(ready)
      ready.on(Events.GuildCreate, ({ id }) => {
        if (id === settings.guild) void this.#register(ready)
      })
    })
    // A session that cannot be taken up again is followed by a new one, of which only this tells.
    client.on(Events.ShardReady, () => {
      if (client.isReady()) this.#becomes('ready', 'Discord is connected.')
    })
    client.on(Events.ShardResume, () => this.#becomes('ready', 'Discord is connected.'))
    client.on(Events.ShardReconnecting, () =>
      this.#becomes('connecting', 'The connection to Discord is lost: it is tried again.'),
    )
    client.on(Events.ShardDisconnect, ({ code }) => {
      const said = hopeless.get(code)
      if (said !== undefined) this.#becomes('refused', said)
    })
    // Without one, an error of the connection would end the process; what comes of it is told by the events above.
    client.on(Events.Error, (error) =>
      log('warn', 'the connection to Discord has an error', { error: messageOf(error) }),
    )
    const answer = interactions(this.#deps)
    client.on(Events.InteractionCreate, (interaction) => void answer(interaction))
    if (settings.listen.length > 0) {
      // Each session begins with it; one that is taken up again brings what was missed by itself.
      client.ws.on(GatewayDispatchEvents.Ready, () => void this.#talk.catchUp())
      client.ws.on(GatewayDispatchEvents.MessageCreate, (message: GatewayMessageCreateDispatchData) => {
        this.#talk.hear(message).catch((error: unknown) => report(error, { message: message.id }))
      })
    }
    return client
  }

  /** Puts our commands in the place of those that are there, unless they are the same; never rejects. */
  async #register(client: Client<true>, attempts = 1): Promise<void> {
    const { settings, later, report } = this.#deps
    const route = Routes.applicationGuildCommands(client.application.id, settings.guild)
    this.#endRegistering()
    try {
      const there = (await client.rest.get(route)) as readonly unknown[]
      if (!sameCommands(commands, there)) await client.rest.put(route, { body: commands })
    } catch (error) {
      if (this.#closed || client !== this.#client || this.#connection.state === 'refused') return
      const why = `its commands are not registered (${messageOf(error)}): \`cofferdam discord setup\` says more.`
      this.#becomes(this.#connection.state, `Discord is connected as ${client.user.tag}, but ${why}`)
      report(error, { what: 'commands' })
      const again = (): void => void this.#register(client, attempts + 1)
      this.#endRegistering = later(pauseAfter(attempts, longestPauseMs), again)
      return
    }
    if (attempts > 1) this.#becomes(this.#connection.state, `Discord is connected as ${client.user.tag}.`)
  }

  #becomes(state: DiscordState['state'], text: string): void {
    if (this.#connection.state === 'refused') return
    const { clock, log } = this.#deps
    // With a token that is dead nothing more is asked for.
    if (state === 'refused') this.#endRegistering()
    const since = this.#connection.state === state ? this.#connection.since : clock()
    this.#connection = { state, since, text }
    log(state === 'ready' ? 'info' : 'warn', text, { state })
  }
}

/** What a failed login says for good; null where another try may be better. */
function refusalOf(error: unknown): string | null {
  if (error instanceof DiscordjsError) {
    if (error.code === DiscordjsErrorCodes.TokenInvalid)
      return hopeless.get(GatewayCloseCodes.AuthenticationFailed) ?? null
    if (error.code === DiscordjsErrorCodes.DisallowedIntents)
      return hopeless.get(GatewayCloseCodes.DisallowedIntents) ?? null
  }
  const text = messageOf(error)
  if (/disallowed intents/i.test(text)) return hopeless.get(GatewayCloseCodes.DisallowedIntents) ?? null
  if (/authentication failed/i.test(text)) return hopeless.get(GatewayCloseCodes.AuthenticationFailed) ?? null
  return null
}
