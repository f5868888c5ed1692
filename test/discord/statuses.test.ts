import { REST } from 'discord.js'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { patience } from '../../src/discord/sending.ts'
import { Statuses } from '../../src/discord/statuses.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { SentMessage } from '../../src/domain/outbox/messages.ts'
import type { Task } from '../../src/domain/task.ts'
import { type LocalDiscord, openDiscord } from '../support/discord/discord.ts'
import { textOf } from '../support/discord/interaction.ts'
import type { Channel, Message } from '../support/discord/world.ts'
import { aTask, aTaskIdOf } from '../support/task.ts'
import { until } from '../support/until.ts'

// Status messages that follow their tasks. Rounds are only asked for: a test begins each when it likes.

let discord: LocalDiscord
let home: Channel
let rest: REST
let tasks: Map<TaskId, Task>
let sent: Map<TaskId, SentMessage>
let statuses: Statuses
let rounds: { readonly ms: number; readonly begin: () => void }[]

beforeEach(async () => {
  discord = await openDiscord({ reaction: 40 })
  home = discord.channel('tasks')
  rest = new REST({ api: discord.api, ...patience, timeout: 600_000 })
  rest.setToken(discord.token)
  tasks = new Map()
  sent = new Map()
  rounds = []
  statuses = opened()
})
afterEach(async () => {
  await statuses.close()
  await discord[Symbol.asyncDispose]()
})

function opened(): Statuses {
  return new Statuses({
    settings: { guild: discord.world.guildId } as never,
    book: {
      find: (_: string, id: TaskId) => sent.get(id) ?? null,
      put: (one: SentMessage) => void sent.set(one.taskId, one),
      forget: (_: string, id: TaskId) => void sent.delete(id),
      behind: () =>
        [...sent.values()].filter((one) => one.shown < versionOf(one.taskId)).map((one) => one.taskId),
    } as never,
    plane: () => ({ task: (id: TaskId) => tasks.get(id), checkpoints: () => [] }) as never,
    rest: () => rest,
    log: () => undefined,
    later: (ms, begin) => {
      rounds.push({ ms, begin })
      return () => undefined
    },
  })
}

const versionOf = (id: TaskId): number => tasks.get(id)?.version ?? 0

/** A task whose status message is there, as it was when it was new. */
async function aShown(number: number): Promise<TaskId> {
  const id = aTaskIdOf(number)
  tasks.set(id, aTask({ id, status: 'PENDING', version: 1 }))
  const made = (await rest.post(`/channels/${home.id}/messages`, { body: { content: 'new' } })) as {
    id: string
  }
  const row = { destination: 'd', taskId: id, kind: 'status', channel: home.id, message: made.id }
  sent.set(id, { ...row, shown: 1, revision: 1, settled: true })
  return id
}

function becomes(id: TaskId, status: Task['status']): void {
  tasks.set(id, aTask({ id, status, version: versionOf(id) + 1 }))
  statuses.touch(id)
}

const messageOf = (id: TaskId): Message => {
  const found = home.messages.find((one) => one.id === sent.get(id)?.message)
  if (found === undefined) throw new Error('there is no such message')
  return found
}
const reactionsOf = (id: TaskId): string =>
  messageOf(id)
    .reactions.map(({ emoji }) => emoji)
    .join()
const shows = (id: TaskId, title: string): boolean => textOf(messageOf(id)).startsWith(title)
const round = (): void => rounds.pop()?.begin()

it('follows its task, one edit for all that happened since the last, and carries one reaction', async () => {
  const id = await aShown(1)
  becomes(id, 'RUNNING')
  becomes(id, 'VALIDATING')
  expect(rounds.map(({ ms }) => ms)).toEqual([1000])
  round()
  await until(() => reactionsOf(id) === '👀')
  becomes(id, 'APPLIED')
  await until(() => rounds.length === 1)
  round()
  await until(() => reactionsOf(id) === '✅')
  expect([shows(id, 'APPLIED'), messageOf(id).edits]).toEqual([true, 2])
})

it('has its reaction replaced also after a restart, though Discord takes few at once', async () => {
  const id = await aShown(1)
  becomes(id, 'RUNNING')
  round()
  await until(() => reactionsOf(id) === '👀' && sent.get(id)?.shown === 2)
  await statuses.close()
  tasks.set(id, aTask({ id, status: 'FAILED', version: 3 }))
  rounds = []
  statuses = opened()
  statuses.start()
  round()
  await until(() => reactionsOf(id) === '⚠️')
  expect(shows(id, 'FAILED')).toBe(true)
})

it('that Discord will not take holds up no other one, and is tried again', async () => {
  const [first, second] = [await aShown(1), await aShown(2)]
  const path = new RegExp(`/messages/${messageOf(first).id}$`)
  discord.rest.faults.next('PATCH', path, { kind: 'status', status: 500 }, 2)
  becomes(first, 'RUNNING')
  becomes(second, 'RUNNING')
  round()
  await until(() => rounds.length === 1)
  expect(rounds[0]?.ms).toBe(5000)
  round()
  await until(() => reactionsOf(second) === '👀' && rounds.length === 1)
  expect([shows(first, 'RUNNING'), shows(second, 'RUNNING')]).toEqual([false, true])
  round()
  await until(() => reactionsOf(first) === '👀')
  expect(shows(first, 'RUNNING')).toBe(true)
})

it('that hangs is no reason to wait at the end', async () => {
  const id = await aShown(1)
  discord.rest.faults.next('PATCH', /./, { kind: 'hang' })
  becomes(id, 'RUNNING')
  round()
  await until(() => discord.rest.seen.some(({ method }) => method === 'PATCH'))
  await statuses.close()
  expect(sent.get(id)?.shown).toBe(1)
})

it('that somebody has removed is forgotten: the next letter begins it anew', async () => {
  const id = await aShown(1)
  home.messages.length = 0
  becomes(id, 'RUNNING')
  round()
  await until(() => !sent.has(id))
  expect(rounds).toEqual([])
})

it('is edited also where a reaction to it is refused, and so holds up nobody', async () => {
  const [one, other] = [await aShown(1), await aShown(2)]
  discord.rest.faults.next('PUT', /reactions/, { kind: 'status', status: 400 }, 9)
  becomes(one, 'APPLIED')
  becomes(other, 'APPLIED')
  round()
  await until(() => [one, other].every((id) => sent.get(id)?.shown === 2))
  expect([shows(one, 'APPLIED'), shows(other, 'APPLIED')]).toEqual([true, true])
  expect(rounds.every(({ ms }) => ms <= 1000)).toBe(true)
})

it('carries a reaction also where it was begun anew', async () => {
  const id = await aShown(1)
  becomes(id, 'APPLIED')
  round()
  await until(() => reactionsOf(id) === '✅')
  const again = await aShown(1)
  tasks.set(again, aTask({ id: again, status: 'APPLIED', version: 3 }))
  statuses.touch(again)
  round()
  await until(() => reactionsOf(again) === '✅')
  expect(home.messages).toHaveLength(2)
})
