import { setTimeout as sleep } from 'node:timers/promises'
import { type Limits, usual } from './clock.ts'
import { Gateway } from './gateway.ts'
import { type Interaction, textOf } from './interaction.ts'
import { Person } from './person.ts'
import { Rest } from './rest/app.ts'
import type { Wire } from './rest/wire.ts'
import { type Channel, type Message, World } from './world.ts'

/**
 * A Discord of one's own on the loopback, for an unmodified discord.js client: one application, one guild, its people.
 *
 *     await using discord = await openDiscord()
 *     const anna = discord.person('anna')
 *     const channel = discord.channel('tasks')
 *     // new Client({ intents, rest: { api: discord.api, version: '10' } }).login(discord.token)
 *     const draft = await discord.sees(channel, (message) => textOf(message).includes('Approve'))
 *     const pressed = await anna.press(channel, draft, 'Approve')
 *
 * `discord.rest.faults` and `discord.gateway` make things go wrong; `discord.rest.seen` is what was asked for.
 */
export class LocalDiscord implements AsyncDisposable {
  /** The token that is good; another is refused from then on. */
  token = 'a.good.token'
  readonly world: World
  readonly gateway: Gateway
  readonly rest: Rest
  readonly #wire: Wire
  readonly #limits: Limits

  constructor(limits: Partial<Limits> = {}, now: () => number = Date.now) {
    this.#limits = { ...usual, ...limits }
    this.world = new World(now)
    this.gateway = new Gateway({
      world: this.world,
      token: () => this.token,
      heartbeat: this.#limits.heartbeat,
    })
    this.#wire = {
      world: this.world,
      gateway: this.gateway,
      limits: this.#limits,
      commands: { all: [], puts: 0 },
      interactions: new Map(),
      nonces: new Map(),
    }
    this.rest = new Rest(this.#wire, () => this.token)
  }

  get api(): string {
    return this.rest.url
  }

  /** The commands that are registered, and how often they were. */
  get commands(): Wire['commands'] {
    return this.#wire.commands
  }

  get interactions(): readonly Interaction[] {
    return [...this.#wire.interactions.values()]
  }

  person(name: string, roles: readonly string[] = []): Person {
    return new Person(this.world.addMember(name, roles), this.#wire, this.#limits)
  }

  channel(name: string): Channel {
    return this.world.addChannel(name)
  }

  thread(of: Channel, name?: string): Channel | null {
    return this.world.threads(of).find((one) => name === undefined || one.name.includes(name)) ?? null
  }

  /** The first message of a channel that is so, now or within `ms`. */
  async sees(channel: Channel, is: (message: Message) => boolean, ms = 10_000): Promise<Message> {
    for (const end = Date.now() + ms; ; await sleep(5)) {
      const found = channel.messages.find(is)
      if (found !== undefined) return found
      if (Date.now() > end) {
        throw new Error(
          `no such message in ${channel.name}:\n${channel.messages.map(textOf).join('\n---\n')}`,
        )
      }
    }
  }

  /** The thread of a channel that is so, now or within `ms`. */
  async seesThread(
    of: Channel,
    is: (thread: Channel) => boolean = () => true,
    ms = 10_000,
  ): Promise<Channel> {
    for (const end = Date.now() + ms; ; await sleep(5)) {
      const found = this.world.threads(of).find(is)
      if (found !== undefined) return found
      if (Date.now() > end) throw new Error(`no such thread in ${of.name}`)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway.close()
    await this.rest.close()
  }
}

export async function openDiscord(
  limits: Partial<Limits> = {},
  now: () => number = Date.now,
): Promise<LocalDiscord> {
  const discord = new LocalDiscord(limits, now)
  await discord.gateway.listen()
  await discord.rest.listening()
  return discord
}
