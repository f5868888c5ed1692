import { REST } from 'discord.js'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Doings } from '../../src/discord/doings.ts'
import { patience } from '../../src/discord/sending.ts'
import { Statuses } from '../../src/discord/statuses.ts'
import type { AgentProgress } from '../../src/domain/agent.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Decisions } from '../../src/domain/decision.ts'
import type { MessageBook, SentMessage } from '../../src/domain/outbox/messages.ts'
import type { Task } from '../../src/domain/task.ts'
import { aBook } from '../support/discord/book.ts'
import { type LocalDiscord, openDiscord } from '../support/discord/discord.ts'
import { textOf } from '../support/discord/interaction.ts'
import type { Channel, Message } from '../support/discord/world.ts'
import { aSpent, aTask, aTaskIdOf } from '../support/task.ts'
import { until } from '../support/until.ts'

// Status messages that follow their tasks. Rounds are only asked for: a test begins each when it likes.

let discord: LocalDiscord
let home: Channel
let rest: REST
let tasks: Map<TaskId, Task>
let book: MessageBook
let decisions: Pick<Decisions, 'offer' | 'last'>
let now: number
let statuses: Statuses
let doings: Doings
let rounds: { readonly ms: number; readonly begin: () => void }[]

beforeEach(async () => {
  discord = await openDiscord({ reaction: 40 })
  home = discord.channel('tasks')
  rest = new REST({ api: discord.api, ...patience, timeout: 600_000 })
  rest.setToken(discord.token)
  tasks = new Map()
  book = aBook((id) => tasks.get(id))
  decisions = { offer: null, last: null }
  rounds = []
  doings = new Doings()
  now = Date.now()
  statuses = opened()
})
afterEach(async () => {
  await statuses.close()
  await discord[Symbol.asyncDispose]()
})

function opened(): Statuses {
  return new Statuses({
    settings: { guild: discord.world.guildId } as never,
    book,
    plane: () =>
      ({ task: (id: TaskId) => tasks.get(id), checkpoints: () => [], decisions: () => decisions }) as never,
    clock: () => now,
    doings,
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
  book.put({ ...row, shown: 1, revision: 1, settled: true })
  return id
}

/** Its agent has done something. */
function does(id: TaskId, ...progress: readonly AgentProgress[]): void {
  doings.changed({ id, phase: 'agent', step: 1, attempt: 1 })
  doings.add(id, progress)
  statuses.progressed(id)
}

function becomes(id: TaskId, status: Task['status']): void {
  tasks.set(id, aTask({ id, status, version: versionOf(id) + 1 }))
  statuses.touch(id)
}

const statusOf = (id: TaskId): SentMessage | null => book.find('', id, 'status')
const messageOf = (id: TaskId): Message => {
  const found = home.messages.find((one) => one.id === statusOf(id)?.message)
  if (found === undefined) throw new Error('there is no such message')
  return found
}
const reactionsOf = (id: TaskId): string =>
  messageOf(id)
    .reactions.map(({ emoji }) => emoji)
    .join()
const shows = (id: TaskId, title: string): boolean => textOf(messageOf(id)).startsWith(title)
const round = (): void => rounds.pop()?.begin()
/** The next round, whenever the one before has come to its end. */
async function nextRound(): Promise<void> {
  await until(() => rounds.length === 1)
  round()
}

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
  await until(() => reactionsOf(id) === '👀' && statusOf(id)?.shown === 2)
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
  expect(statusOf(id)?.shown).toBe(1)
})

it('that somebody has removed is forgotten: the next letter begins it anew, and its thread stays the task’s', async () => {
  const id = await aShown(1)
  const { message = '' } = statusOf(id) ?? {}
  home.messages.length = 0
  becomes(id, 'RUNNING')
  round()
  await until(() => statusOf(id) === null)
  expect([rounds, book.taskOf('', message)]).toEqual([[], id])
})

it('that another bot has written is left alone', async () => {
  const id = await aShown(1)
  Object.assign(messageOf(id), { author: { ...discord.world.bot, id: '999' } })
  becomes(id, 'RUNNING')
  round()
  await until(() => statusOf(id) === null)
  expect(rounds).toEqual([])
})

it('that is too old to be edited often waits alone', async () => {
  const [old, other] = [await aShown(1), await aShown(2)]
  const path = new RegExp(`/messages/${messageOf(old).id}$`)
  discord.rest.faults.next('PATCH', path, { kind: 'rate_limit', seconds: 20 })
  now += 7_200_000
  becomes(old, 'RUNNING')
  becomes(other, 'RUNNING')
  round()
  await until(() => shows(other, 'RUNNING') && statusOf(other)?.shown === 2)
  expect(rounds.map(({ ms }) => ms)).toEqual([60_000])
  becomes(old, 'APPLIED')
  expect(rounds).toHaveLength(1)
  round()
  await until(() => rounds.length === 1)
  round()
  await until(() => shows(old, 'APPLIED'))
})

it('buttons that are over say so, though the letter that should have is sent long ago', async () => {
  const id = await aShown(1)
  const components = [
    {
      type: 1,
      components: [{ type: 2, style: 3, label: 'Approve', custom_id: `tdec:${id}:approve:abcdefgh` }],
    },
  ]
  const draft = (await rest.post(`/channels/${home.id}/messages`, {
    body: { content: 'draft', components },
  })) as {
    id: string
  }
  const row = { destination: 'd', taskId: id, channel: home.id, shown: 1, revision: 1, settled: false }
  book.put({ ...row, kind: 'decision:1', message: draft.id })
  becomes(id, 'STOPPED')
  round()
  await until(() => book.unsettled('', id).length === 0)
  const message = home.messages.find((one) => one.id === draft.id)
  expect([message?.components, message?.embeds[0]?.title]).toEqual([[], 'No longer to be decided: STOPPED'])
})

it('is edited also where a reaction to it is refused, and so holds up nobody', async () => {
  const [one, other] = [await aShown(1), await aShown(2)]
  discord.rest.faults.next('PUT', /reactions/, { kind: 'status', status: 400 }, 9)
  becomes(one, 'APPLIED')
  becomes(other, 'APPLIED')
  round()
  await until(() => [one, other].every((id) => statusOf(id)?.shown === 2))
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

it('shows what an agent says and does, one edit after a while for all of it, and nothing of it in the next phase', async () => {
  const id = await aShown(1)
  does(id, { kind: 'said', text: 'I look at **it** first. @everyone' })
  does(id, { kind: 'tool', tool: 'write', text: 'src/a.ts', paths: ['src/a.ts'] })
  does(id, { kind: 'tool', tool: 'write', text: 'b_c.ts', paths: ['b_c.ts'] })
  tasks.set(id, aTask({ id, status: 'RUNNING', version: 1, spent: aSpent({ tokens: 4711 }) }))
  does(id, { kind: 'spent', tokens: 4711, costUsd: 0 })
  expect([rounds.map(({ ms }) => ms), messageOf(id).edits]).toEqual([[5000], 0])
  round()
  expect(rounds.map(({ ms }) => ms)).toEqual([1000])
  round()
  await until(() => reactionsOf(id) === '👀')
  const shown = textOf(messageOf(id))
  expect(shown).toContain('» write b\\_c.ts')
  expect(shown).toContain('b\\_c.ts, src/a.ts')
  expect(shown).toContain('4711')

  does(id, { kind: 'said', text: 'Done with **it**, @everyone.' })
  await nextRound()
  await nextRound()
  await until(() => messageOf(id).edits === 2)
  expect(textOf(messageOf(id))).toContain('Done with \\*\\*it\\*\\*, @\u200beveryone.')
  expect(messageOf(id).pings).toEqual([])

  doings.changed({ id, phase: 'verify', step: 1, attempt: 1 })
  becomes(id, 'VALIDATING')
  await nextRound()
  await until(() => shows(id, 'VALIDATING'))
  expect(textOf(messageOf(id))).not.toContain('Done with')
})

it('is not edited for what nobody did meanwhile, and more seldom where many agents are at work', async () => {
  const ids = [await aShown(1), await aShown(2), await aShown(3)]
  for (const id of ids) does(id, { kind: 'said', text: 'Hello' })
  expect(rounds.map(({ ms }) => ms)).toEqual([5000, 10_000, 15_000])
  const [id = ids[0]] = ids
  for (const { begin } of rounds.splice(0)) begin()
  await nextRound()
  await until(() => ids.every((one) => reactionsOf(one) !== ''))
  statuses.touch(id as TaskId)
  await nextRound()
  does(id as TaskId, { kind: 'said', text: 'More' })
  await nextRound()
  await nextRound()
  await until(() => textOf(messageOf(id as TaskId)).includes('More'))
  expect(ids.map((one) => messageOf(one).edits)).toEqual([2, 1, 1])
})

it('that is old shows what an agent does with its next edit alone, for it takes few', async () => {
  const id = await aShown(1)
  now += 7_200_000
  does(id, { kind: 'said', text: 'Hello' })
  await nextRound()
  await nextRound()
  await until(() => reactionsOf(id) !== '')
  expect(messageOf(id).edits).toBe(0)
  becomes(id, 'RUNNING')
  await nextRound()
  await until(() => shows(id, 'RUNNING'))
  expect(textOf(messageOf(id))).toContain('Hello')
})
