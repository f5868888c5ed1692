import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { LocalDiscord } from '../support/discord/discord.ts'
import { textOf } from '../support/discord/interaction.ts'
import { type DiscordLab, openDiscordLab } from '../support/discord/lab.ts'
import type { Person } from '../support/discord/person.ts'
import type { Channel } from '../support/discord/world.ts'
import { sh, type TestPlane } from '../support/plane.ts'
import { git } from '../support/repository.ts'
import { until } from '../support/until.ts'

// The real bot, the real client of Discord's, the real engine and git; Discord is one of our own on the loopback.

let lab: DiscordLab
let discord: LocalDiscord
let plane: TestPlane
let repo: string
let home: Channel
let owner: Person

const agent = sh(
  `if grep -q 'use tabs' /cofferdam/attempt/prompt.md; then echo tabs >>said.txt; echo TASK_STATE: DONE
   elif grep -q blocks /cofferdam/attempt/prompt.md; then echo 'BLOCK_REASON: which?'; echo TASK_STATE: BLOCKED
   else echo done >done.txt; fi`,
)

beforeAll(async () => {
  lab = await openDiscordLab({ agent })
  ;({ discord, plane, repo, home, owner } = lab)
})
afterAll(() => lab[Symbol.asyncDispose]())
beforeEach(() => discord.rest.faults.clear())

const start: DiscordLab['start'] = (goal, more) => lab.start(goal, more)
const threadOf: DiscordLab['threadOf'] = (id) => lab.threadOf(id)
const statusOf: DiscordLab['statusOf'] = (id) => lab.statusOf(id)
const draftOf: DiscordLab['draftOf'] = (id) => lab.draftOf(id)

describe('Discord that fails', () => {
  const timesTold = async (id: string): Promise<readonly number[]> => {
    const thread = await threadOf(id)
    await discord.sees(thread, (one) => textOf(one).includes('APPLIED · applied'), 60_000)
    const applied = thread.messages.filter((one) => textOf(one).includes('APPLIED · applied'))
    return [home.messages.filter((one) => textOf(one).includes(id)).length, applied.length]
  }

  it('B26 where it answers 502 after it has sent, each message appears once', async () => {
    discord.rest.faults.next('POST', /^\/channels\/\d+\/messages$/, {
      kind: 'status',
      status: 502,
      after: true,
    })
    expect(await timesTold(await start('do it'))).toEqual([1, 1])
  })

  it('B26 where it fails at one message, that comes before what happened later', async () => {
    const id = await start('it blocks')
    const thread = await threadOf(id)
    const inThread = new RegExp(`/channels/${thread.id}/messages$`)
    discord.rest.faults.next('POST', inThread, { kind: 'status', status: 503 })
    const blocked = await plane.until(
      id as never,
      ({ status, phase }) => status === 'BLOCKED' && phase === null,
    )
    await plane.client.act(blocked.id, { act: 'resume', instruction: 'use tabs', budget: null })
    expect(await timesTold(id)).toEqual([1, 1])
    const titles = thread.messages.map((one) => one.embeds[0]?.title)
    expect(titles).toEqual(['BLOCKED · blocked', 'APPLIED · applied'])
  })

  it('what somebody did is answered as it is where Discord fails at the answer', async () => {
    const id = await start('draft: do it')
    await draftOf(id)
    discord.rest.faults.next('PATCH', /@original$/, { kind: 'status', status: 502 })
    const { text } = await owner.slash(home, 'task_reject', { task: id })
    expect(text).toBe(`Task \`${id}\` is REJECTED now.`)
  })

  it('a press is answered where the first word to Discord is lost, and where the same one comes twice', async () => {
    const id = await start('draft: do it')
    const [thread, draft] = await draftOf(id)
    discord.rest.faults.next('POST', /\/callback$/, { kind: 'drop', after: true })
    expect((await owner.press(thread, draft, 'Reject')).text).toBe(`Task \`${id}\` is REJECTED now.`)
    discord.gateway.repeatOnResume = 50
    discord.gateway.drop()
    await until(() => discord.gateway.resumes === 1)
    discord.gateway.repeatOnResume = 0
    expect((await owner.slash(home, 'task_status', { task: id })).text).toContain('Nothing more')
    expect(discord.interactions.every(({ refused }) => refused <= 1)).toBe(true)
  })

  it('B13 after a restart a reply is heard, also in a thread of which Discord has not told', async () => {
    const id = await start('it blocks')
    const thread = await threadOf(id)
    await discord.sees(thread, (one) => textOf(one).includes('BLOCKED · blocked'), 60_000)
    const before = discord.gateway.identifies
    discord.world.tellsOfThreads = false
    await plane.reopen()
    await until(() => discord.gateway.identifies === before + 1 && discord.gateway.connected)
    discord.world.tellsOfThreads = true
    owner.type(thread, 'use tabs')
    await discord.sees(thread, (one) => textOf(one).includes('APPLIED · applied'), 60_000)
    expect(git(repo, 'show', `cofferdam/${id}:said.txt`)).toBe('tabs\n')
  })

  it('what was written while it was away is heard when it is back, once', async () => {
    const id = await start('draft: do it')
    const [thread, draft] = await draftOf(id)
    const goals = async (): Promise<string> => (await plane.client.task(id as never)).goal
    discord.rest.faults.next('GET', /\/gateway\/bot$/, { kind: 'late', ms: 1000 })
    await plane.reopen()
    expect(discord.gateway.connected).toBe(false)
    const said = owner.type(thread, 'use tabs')
    await discord.sees(thread, (one) => one.id > draft.id && textOf(one).includes('[Approve]'))
    expect([await goals(), said.reactions.length]).toEqual(['do it\n\nuse tabs', 1])
    const before = discord.gateway.identifies
    await plane.reopen()
    await until(() => discord.gateway.identifies === before + 1)
    const now = owner.type(thread, 'and spaces')
    await until(() => now.reactions.length === 1)
    expect(await goals()).toBe('do it\n\nuse tabs\n\nand spaces')
  })

  it('a status message and a thread that somebody has removed leave a draft that can be decided', async () => {
    const id = await start('draft: do it')
    const [thread] = await draftOf(id)
    const status = statusOf(id)
    if (status !== undefined) home.messages.splice(home.messages.indexOf(status), 1)
    owner.type(thread, 'use tabs')
    const fresh = await discord.sees(
      thread,
      (one) => textOf(one).includes('use tabs\n') && textOf(one).includes('[Approve]'),
    )
    discord.world.channels.delete(thread.id)
    expect(textOf(fresh)).toContain('do it')
    expect((await owner.slash(home, 'task_approve', { task: id })).text).toBe(
      `Task \`${id}\` is PENDING now.`,
    )
    const again = await discord.seesThread(home, ({ name }) => name.endsWith(id), 30_000)
    await discord.sees(again, (one) => textOf(one).includes('APPLIED · applied'), 60_000)
    expect(home.messages.filter((one) => textOf(one).includes(id))).toHaveLength(1)
  })

  it('B23 B26 after a restart buttons of before work, and nothing is said twice', async () => {
    const id = await start('draft: do it')
    const [thread, draft] = await draftOf(id)
    const before = discord.gateway.identifies
    await plane.reopen()
    await until(() => discord.gateway.identifies === before + 1 && discord.gateway.connected)
    expect((await owner.press(thread, draft, 'Approve')).text).toBe(`Task \`${id}\` is PENDING now.`)
    expect(await timesTold(id)).toEqual([1, 1])
    expect(discord.commands.puts).toBe(1)
  })
})
