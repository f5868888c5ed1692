import { GatewayCloseCodes } from 'discord.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Bot } from '../../src/discord/bot.ts'
import { loginPauseMs } from '../../src/discord/logins.ts'
import type { DiscordSettings } from '../../src/domain/discord.ts'
import type { MessageBook } from '../../src/domain/outbox/messages.ts'
import { Secret } from '../../src/domain/secret.ts'
import { aBook } from '../support/discord/book.ts'
import { type LocalDiscord, openDiscord } from '../support/discord/discord.ts'
import type { Channel } from '../support/discord/world.ts'
import { aTaskId } from '../support/task.ts'
import { until } from '../support/until.ts'

// The life of the connection. Pauses are only asked for: a test goes on when it likes.

let discord: LocalDiscord
let home: Channel
let bots: Bot[]
let reported: unknown[]
let book: MessageBook
let calledOff: number
let pauses: { readonly ms: number; readonly act: () => void }[]

beforeEach(async () => {
  discord = await openDiscord()
  home = discord.channel('tasks')
  bots = []
  pauses = []
  calledOff = 0
  reported = []
  book = aBook()
})
afterEach(async () => {
  if (reported.length > 0) throw new AggregateError(reported)
  for (const bot of bots) await bot.close()
  await discord[Symbol.asyncDispose]()
})

function aBot(changed: Partial<DiscordSettings> = {}, api = discord.api): Bot {
  const nobody = { users: [], roles: [] }
  const bot = new Bot({
    settings: {
      token: new Secret('of Discord', discord.token),
      tokenFrom: 'the environment variable DISCORD_TOKEN',
      guild: discord.world.guildId,
      channel: home.id,
      listen: [],
      members: { owner: nobody, operator: nobody, viewer: nobody },
      ...changed,
    },
    api,
    book,
    plane: () => {
      throw new Error('nothing is asked here')
    },
    clock: Date.now,
    later: (ms, act) => {
      pauses.push({ ms, act })
      return () => (calledOff += 1)
    },
    report: (error) => reported.push(error),
    log: () => undefined,
  })
  bots.push(bot)
  bot.start()
  return bot
}

describe('the connection', () => {
  it('is made once, and the commands are registered once for good', async () => {
    const bot = aBot()
    await until(() => bot.connection.state === 'ready' && discord.commands.puts === 1)
    await bot.close()
    const again = aBot()
    await until(() => again.connection.state === 'ready')
    await until(() => discord.rest.seen.filter(({ path }) => path.endsWith('/commands')).length === 3)
    expect([discord.gateway.identifies, discord.commands.puts]).toEqual([2, 1])
  })

  it('that is lost comes back by itself, without a login', async () => {
    const bot = aBot()
    await until(() => bot.connection.state === 'ready')
    discord.gateway.drop()
    await until(() => bot.connection.state === 'connecting')
    await until(() => bot.connection.state === 'ready')
    expect([discord.gateway.identifies, discord.gateway.resumes]).toEqual([1, 1])
  })

  it.each([
    ['no token', { token: null }, /put it in the environment variable DISCORD_TOKEN/, 0],
    ['a bad token', { token: new Secret('of Discord', 'another.token') }, /does not know the token/, 0],
  ] as const)('with %s is refused, and never tried again', async (_, changed, text, identifies) => {
    const bot = aBot(changed)
    await until(() => bot.connection.state === 'refused')
    expect(bot.connection.text).toMatch(text)
    expect([pauses, discord.gateway.identifies]).toEqual([[], identifies])
  })

  it('is refused where the intent is switched off, and where the token is taken back later', async () => {
    discord.gateway.allowed = 0
    const bot = aBot({ listen: [{ channel: home.id, repository: null }] })
    await until(() => bot.connection.state === 'refused')
    expect(bot.connection.text).toContain('Message Content')
    discord.gateway.allowed = ~0
    const other = aBot()
    await until(() => other.connection.state === 'ready' && discord.commands.puts === 1)
    discord.token = 'another.token'
    discord.gateway.closeWith(GatewayCloseCodes.AuthenticationFailed)
    await until(() => other.connection.state === 'refused')
    expect([pauses, discord.gateway.identifies]).toEqual([[], 2])
  })

  it('needs no intent where only commands are heard', async () => {
    discord.gateway.allowed = 0
    const bot = aBot()
    await until(() => bot.connection.state === 'ready' && discord.commands.puts === 1)
    expect([discord.gateway.identifies, pauses]).toEqual([1, []])
  })

  it('that cannot be made is tried again, later each time, and made when Discord is back', async () => {
    discord.rest.faults.next('GET', /^\/gateway\/bot$/, { kind: 'status', status: 503 }, 3)
    const bot = aBot()
    for (let tries = 1; tries <= 3; tries += 1) {
      await until(() => pauses.length === tries)
      expect(bot.connection.state).toBe('connecting')
      pauses.at(-1)?.act()
    }
    await until(() => bot.connection.state === 'ready')
    expect(pauses.map(({ ms }) => ms)).toEqual([5000, 10_000, 20_000])
    expect(discord.gateway.identifies).toBe(1)
  })

  it('is not made where it is closed while it logs in', async () => {
    discord.rest.faults.next('GET', /\/gateway\/bot$/, { kind: 'late', ms: 200 })
    const bot = aBot()
    await until(() => discord.rest.seen.some(({ path }) => path.endsWith('/gateway/bot')))
    await bot.close()
    await until(() =>
      discord.rest.seen.some(({ path, status }) => path.endsWith('/gateway/bot') && status === 200),
    )
    // The library would connect at once.
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect([discord.gateway.connected, discord.gateway.identifies, pauses]).toEqual([false, 0, []])
  })

  it('is not made again where it is closed before its login is answered', async () => {
    discord.gateway.mute = true
    const bot = aBot()
    await until(() => discord.gateway.identifies === 1)
    await bot.close()
    // The library would connect half a second later.
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect([discord.gateway.connections, pauses]).toEqual([1, []])
  })

  it('is not made again where Discord has said no', async () => {
    discord.gateway.allowed = 0
    const bot = aBot({ listen: [{ channel: home.id, repository: null }] })
    await until(() => bot.connection.state === 'refused')
    // As above.
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect([discord.gateway.connections, pauses]).toEqual([1, []])
  })

  it('that is lost is not made again where it is closed then', async () => {
    const bot = aBot()
    await until(() => bot.connection.state === 'ready' && discord.commands.puts === 1)
    discord.gateway.drop()
    await until(() => bot.connection.state === 'connecting')
    await bot.close()
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect([discord.gateway.connections, pauses]).toEqual([1, []])
  })

  it('to nobody at all is tried again as well', async () => {
    const bot = aBot({}, 'http://127.0.0.1:1/api')
    await until(() => pauses.length === 1)
    expect([bot.connection.state, bot.connection.text]).toEqual([
      'connecting',
      expect.stringContaining('it is tried again'),
    ])
  })

  it('whose session cannot be taken up again is ready with a new one', async () => {
    const bot = aBot()
    await until(() => bot.connection.state === 'ready')
    discord.gateway.invalidate(false)
    await until(() => pauses.length === 1)
    expect(bot.connection.state).toBe('connecting')
    pauses[0]?.act()
    await until(() => bot.connection.state === 'ready')
    expect(discord.gateway.identifies).toBe(2)
  })

  it('whose sessions all end at once is no loop of logins', async () => {
    const bot = aBot()
    await until(() => bot.connection.state === 'ready')
    for (let times = 1; times <= 3; times += 1) {
      discord.gateway.invalidate(false)
      await until(() => pauses.length === times)
      expect(discord.gateway.identifies).toBe(times)
      pauses.at(-1)?.act()
      await until(() => discord.gateway.identifies === times + 1 && discord.gateway.connected)
    }
    const rounded = pauses.map(({ ms }) => Math.ceil(ms / 5000) * 5000)
    expect(rounded).toEqual([5000, 10_000, 20_000])
  })

  it('over which nothing comes for hours stays, and is taken up without a login where even that is not answered', async () => {
    await using quiet = await openDiscord({ heartbeat: 20 })
    const bot = aBot({ guild: quiet.world.guildId }, quiet.api)
    await until(() => bot.connection.state === 'ready')
    // A day has two thousand; what comes of it is the same after a hundred.
    await until(() => quiet.gateway.heartbeats > 100)
    expect([quiet.gateway.identifies, pauses]).toEqual([1, []])
    quiet.gateway.silent = true
    await until(() => quiet.gateway.resumes >= 5)
    quiet.gateway.silent = false
    const before = quiet.gateway.heartbeats
    await until(() => bot.connection.state === 'ready' && quiet.gateway.heartbeats > before + 10)
    expect([quiet.gateway.identifies, pauses]).toEqual([1, []])
  })

  it('registers the commands when Discord takes them again, and says so meanwhile', async () => {
    discord.rest.faults.next('PUT', /\/commands$/, { kind: 'status', status: 503 }, 2)
    const bot = aBot()
    for (let tries = 1; tries <= 2; tries += 1) {
      await until(() => pauses.length === tries)
      expect(bot.connection).toMatchObject({ state: 'ready', text: expect.stringContaining('discord setup') })
      pauses.at(-1)?.act()
    }
    await until(() => discord.commands.puts === 1 && !bot.connection.text.includes('setup'))
    expect(pauses.map(({ ms }) => ms)).toEqual([5000, 10_000])
    expect(reported.splice(0)).toHaveLength(2)
  })
})

describe('with a token that is taken back', () => {
  const registrations = () => discord.rest.seen.filter(({ path }) => path.endsWith('/commands'))

  it('what waits to be registered again is called off', async () => {
    discord.rest.faults.next('GET', /\/commands$/, { kind: 'status', status: 503 })
    const bot = aBot()
    await until(() => pauses.length === 1)
    expect(calledOff).toBe(0)
    discord.gateway.closeWith(GatewayCloseCodes.AuthenticationFailed)
    await until(() => bot.connection.state === 'refused')
    expect([calledOff, reported.splice(0).length]).toEqual([1, 1])
  })

  it('what is being registered is not tried again', async () => {
    discord.rest.faults.next('GET', /\/commands$/, { kind: 'late', ms: 200 })
    discord.rest.faults.next('PUT', /\/commands$/, { kind: 'status', status: 503 })
    const bot = aBot()
    await until(() => registrations().length === 1)
    discord.gateway.closeWith(GatewayCloseCodes.AuthenticationFailed)
    await until(() => bot.connection.state === 'refused' && registrations().at(-1)?.status === 503)
    // One more round trip, so that the bot has heard of it.
    await bot.rest.get('/users/@me')
    expect(pauses).toEqual([])
  })
})

it('without anybody to listen, what is written meanwhile is not for who listens later', () => {
  const row = { destination: 'd', taskId: aTaskId, kind: 'heard', channel: '1', message: '1' }
  book.put({ ...row, shown: 0, revision: 0, settled: true })
  aBot({ listen: [{ channel: home.id, repository: null }] })
  expect(book.find('d', aTaskId, 'heard')).not.toBeNull()
  aBot()
  expect(book.find('d', aTaskId, 'heard')).toBeNull()
})

it.each([
  [[], 0],
  [[0], 5000],
  [[0, 10_000], 10_000],
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 600_000],
] as const)('after logins at %j another one waits %d ms', (times, pause) => {
  expect(loginPauseMs(times, times.at(-1) ?? 0)).toBe(pause)
  expect(loginPauseMs(times, (times.at(-1) ?? 0) + 3_600_001)).toBe(0)
})

it('a thousand logins a day are never reached', () => {
  const times: number[] = []
  for (let now = 0; now < 24 * 3_600_000;) {
    now += loginPauseMs(times, now)
    times.push(now)
  }
  expect(times.length).toBeLessThan(300)
})
