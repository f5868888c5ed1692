import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTestPlane, type TestPlane } from '../plane.ts'
import { aRepository } from '../repository.ts'
import { until } from '../until.ts'
import { type LocalDiscord, openDiscord } from './discord.ts'
import { textOf } from './interaction.ts'
import type { Person } from './person.ts'
import type { Channel, Message } from './world.ts'

/** A control plane with its bot, the real engine and git, and a Discord of its own: an owner, a home channel, one to talk in. */
export interface DiscordLab extends AsyncDisposable {
  readonly discord: LocalDiscord
  readonly plane: TestPlane
  readonly repo: string
  readonly home: Channel
  readonly talk: Channel
  readonly owner: Person
  /** Starts a task by a command of the owner's, or of somebody else's; its id. */
  start(
    goal: string,
    options?: Readonly<Record<string, string | number | boolean>>,
    who?: Person,
  ): Promise<string>
  threadOf(id: string): Promise<Channel>
  statusOf(id: string): Message | undefined
  /** A draft's thread, and its message with buttons. */
  draftOf(id: string): Promise<readonly [Channel, Message]>
}

export interface LabPlan {
  /** The argv of the repository's agent. */
  readonly agent: readonly string[]
  /** More of `discord:` in the configuration, of people whom it makes. */
  readonly people?: (discord: LocalDiscord) => Readonly<Record<string, readonly string[]>>
  /** More lines of the configuration, with the repository of the tasks. */
  readonly more?: (repo: string) => readonly string[]
}

export async function openDiscordLab({ agent, people, more }: LabPlan): Promise<DiscordLab> {
  const discord = await openDiscord()
  const home = discord.channel('tasks')
  const talk = discord.channel('talk')
  const owner = discord.person('anna')
  const repo = aRepository()
  const folder = mkdtempSync(join(tmpdir(), 'cofferdam-discord-'))
  writeFileSync(join(folder, 'token'), discord.token)
  const roles = Object.entries(people?.(discord) ?? {}).map(
    ([role, ids]) => `${role}: ${JSON.stringify(ids)},`,
  )
  const yaml = [
    `discord: { token: { file: ${join(folder, 'token')} }, guild: "${discord.world.guildId}", channel: "${home.id}",`,
    `  owners: ["${owner.id}"], ${roles.join(' ')} listen: { "${talk.id}": {} } }`,
    `repositories: { ${JSON.stringify(repo)}: { agent: { name: command, argv: ${JSON.stringify(agent)} } } }`,
    ...(more?.(repo) ?? []),
  ].join('\n')
  const plane = await openTestPlane(yaml, tmpdir(), { discordApi: discord.api })
  await until(() => discord.commands.all.length > 0)
  const threadOf = (id: string): Promise<Channel> =>
    discord.seesThread(home, ({ name }) => name.endsWith(id), 30_000)
  return {
    discord,
    plane,
    repo,
    home,
    talk,
    owner,
    threadOf,
    start: async (goal, options = {}, who = owner) => {
      const { text } = await who.slash(home, 'task_start', { goal, ...options })
      const id = /`([a-z2-7]{10})`/.exec(text)?.[1]
      if (id === undefined) throw new Error(text)
      return id
    },
    statusOf: (id) => home.messages.find((one) => textOf(one).includes(id)),
    draftOf: async (id) => {
      const thread = await threadOf(id)
      return [thread, await discord.sees(thread, (one) => textOf(one).includes('[Approve]'))]
    },
    [Symbol.asyncDispose]: async () => {
      await plane.close()
      await discord[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
