import {
  ActionRowBuilder,
  ButtonBuilder,
  ButtonStyle,
  Client,
  GatewayIntentBits,
  MessageFlags,
  ModalBuilder,
  TextInputBuilder,
  TextInputStyle,
} from 'discord.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type LocalDiscord, openDiscord } from './discord.ts'
import { until } from '../until.ts'

const { Guilds, GuildMessages, MessageContent } = GatewayIntentBits

let discord: LocalDiscord
const clients: Client[] = []

beforeEach(async () => {
  discord = await openDiscord({ answer: 300 })
})
afterEach(async () => {
  for (const client of clients.splice(0)) await client.destroy()
  await discord[Symbol.asyncDispose]()
})

async function login(
  intents = [Guilds, GuildMessages, MessageContent],
  token = discord.token,
): Promise<Client<true>> {
  const client = new Client({ intents, rest: { api: discord.api, version: '10', retries: 0, timeout: 2000 } })
  clients.push(client)
  client.on('error', () => undefined)
  const ready = new Promise<Client<true>>((resolve) => client.once('clientReady', resolve))
  await client.login(token)
  return ready
}

const one = {
  name: 'task_start',
  description: 'Starts a task',
  options: [{ type: 3, name: 'goal', description: 'Goal', required: true, autocomplete: true }],
}

describe('a real client', () => {
  it('logs in and sees the guild and its channels', async () => {
    const channel = discord.channel('tasks')
    const client = await login()
    expect(client.guilds.cache.get(discord.world.guildId)?.channels.cache.get(channel.id)?.name).toBe('tasks')
    expect(discord.gateway.identifies).toBe(1)
  })

  it('registers commands, and answers one', async () => {
    const channel = discord.channel('tasks')
    const client = await login()
    await client.application.commands.set([one], discord.world.guildId)
    client.on('interactionCreate', (interaction) => {
      if (interaction.isAutocomplete())
        void interaction.respond([{ name: 'A', value: `${interaction.options.getFocused()}!` }])
      if (!interaction.isChatInputCommand()) return
      void interaction
        .deferReply({ flags: MessageFlags.Ephemeral })
        .then(async () => interaction.editReply(`got ${interaction.options.getString('goal')}`))
    })
    const anna = discord.person('anna')
    const answered = await anna.slash(channel, 'task_start', { goal: 'x' })
    expect([answered.text, answered.ephemeral, channel.messages]).toEqual(['got x', true, []])
    expect(await anna.complete(channel, 'task_start', 'goal', 'fi')).toEqual(['fi!'])
    await expect(anna.slash(channel, 'task_start', {})).rejects.toThrow('needs goal')
    await expect(anna.slash(channel, 'task_start', { goal: 'x', more: 'y' })).rejects.toThrow(
      'no option more',
    )
  })

  it('is refused where a command, a message or a modal is too large', async () => {
    const channel = discord.channel('tasks')
    const client = await login()
    await expect(
      client.application.commands.set([{ ...one, description: 'x'.repeat(101) }], discord.world.guildId),
    ).rejects.toMatchObject({ code: 50035 })
    const there = await client.channels.fetch(channel.id)
    if (there?.isSendable() !== true) throw new Error('no channel')
    await expect(there.send('x'.repeat(2001))).rejects.toMatchObject({
      code: 50035,
      message: expect.stringContaining('content'),
    })
    await expect(
      there.send({ embeds: [{ description: 'x'.repeat(4000) }, { description: 'y'.repeat(2001) }] }),
    ).rejects.toMatchObject({ code: 50035 })
    await expect(there.send({ content: '' })).rejects.toMatchObject({ code: 50006 })
    expect(channel.messages).toEqual([])
  })

  it('shows buttons and a modal, and hears what was pressed and filled in', async () => {
    const channel = discord.channel('tasks')
    const client = await login()
    const heard: string[] = []
    client.on('interactionCreate', (interaction) => {
      if (interaction.isButton()) {
        const field = new TextInputBuilder()
          .setCustomId('text')
          .setLabel('Text')
          .setStyle(TextInputStyle.Paragraph)
        const row = new ActionRowBuilder<TextInputBuilder>().addComponents(field)
        void interaction.showModal(new ModalBuilder().setCustomId('m').setTitle('Suggest').addComponents(row))
      } else if (interaction.isModalSubmit()) {
        heard.push(interaction.fields.getTextInputValue('text'))
        if (interaction.isFromMessage()) void interaction.update({ content: 'done', components: [] })
      }
    })
    const there = await client.channels.fetch(channel.id)
    if (there?.isSendable() !== true) throw new Error('no channel')
    const row = new ActionRowBuilder<ButtonBuilder>().addComponents(
      new ButtonBuilder().setCustomId('b').setLabel('Suggest').setStyle(ButtonStyle.Primary),
    )
    await there.send({ content: 'Decide', components: [row] })
    const message = await discord.sees(channel, ({ content }) => content === 'Decide')
    const anna = discord.person('anna')
    const shown = await anna.press(channel, message, 'Suggest')
    await expect(anna.submit(shown, {})).rejects.toThrow('must be filled in')
    await anna.submit(shown, { text: 'use tabs' })
    expect([heard, message.content, message.edits]).toEqual([['use tabs'], 'done', 1])
    await expect(anna.press(channel, message, 'Suggest')).rejects.toThrow('no button')
  })

  it('that answers too late, or twice, is refused', async () => {
    const channel = discord.channel('tasks')
    const client = await login()
    await client.application.commands.set([one], discord.world.guildId)
    const codes: unknown[] = []
    client.on('interactionCreate', (interaction) => {
      if (!interaction.isChatInputCommand()) return
      const late = interaction.options.getString('goal') === 'late'
      const reply = async (): Promise<unknown> =>
        interaction.client.rest
          .post(`/interactions/${interaction.id}/${interaction.token}/callback`, {
            body: { type: 5 },
            auth: false,
          })
          .catch((error: unknown) => codes.push(Reflect.get(Object(error), 'code')))
      setTimeout(() => void reply().then(reply), late ? 400 : 0)
    })
    const anna = discord.person('anna')
    anna.begin(channel, 'task_start', { goal: 'twice' })
    await until(() => codes.length === 1)
    anna.begin(channel, 'task_start', { goal: 'late' })
    await until(() => codes.length === 3)
    expect(codes).toEqual([40060, 10062, 10062])
  })

  it('pings only whom it is allowed to', async () => {
    const channel = discord.channel('tasks')
    const anna = discord.person('anna')
    const client = await login()
    const there = await client.channels.fetch(channel.id)
    if (there?.isSendable() !== true) throw new Error('no channel')
    const content = `<@${anna.id}> @everyone`
    await there.send({ content })
    await there.send({ content, allowedMentions: { parse: [] } })
    await there.send({ content, allowedMentions: { users: [anna.id] } })
    expect(channel.messages.map(({ pings }) => pings)).toEqual([[anna.id, 'everyone'], [], [anna.id]])
  })

  it('sends a message once with a nonce, and twice without', async () => {
    const channel = discord.channel('tasks')
    const client = await login()
    const there = await client.channels.fetch(channel.id)
    if (there?.isSendable() !== true) throw new Error('no channel')
    for (const nonce of ['n', 'n']) await there.send({ content: 'once', nonce, enforceNonce: true })
    for (const nonce of ['m', 'm']) await there.send({ content: 'twice', nonce })
    expect(channel.messages.map(({ content }) => content)).toEqual(['once', 'twice', 'twice'])
  })

  it('begins threads, writes files into them, and puts reactions', async () => {
    const channel = discord.channel('tasks')
    const client = await login()
    const there = await client.channels.fetch(channel.id)
    if (there?.isSendable() !== true || there.isDMBased()) throw new Error('no channel')
    const first = await there.send('first')
    const thread = await first.startThread({ name: 'a thread' })
    await thread.send({ files: [{ name: 'a.diff', attachment: Buffer.from('diff') }] })
    await first.react('👀')
    await thread.setArchived(true)
    await thread.send('again')
    const made = await discord.seesThread(channel)
    expect(
      made.messages.map(({ files, content }) => [
        content,
        files.map(({ name, bytes }) => [name, bytes.toString()]),
      ]),
    ).toEqual([
      ['', [['a.diff', 'diff']]],
      ['again', []],
    ])
    expect([made.archived, channel.messages[0]?.reactions]).toEqual([
      false,
      [{ emoji: '👀', users: [discord.world.bot.id] }],
    ])
    await expect(first.startThread({ name: 'another' })).rejects.toMatchObject({ code: 160004 })
  })

  it('reads what people write only with the intent for it', async () => {
    const channel = discord.channel('tasks')
    const read: string[] = []
    for (const intents of [
      [Guilds, GuildMessages],
      [Guilds, GuildMessages, MessageContent],
    ]) {
      const client = await login(intents)
      client.on('messageCreate', ({ content }) => read.push(content))
      discord.person('anna').type(channel, 'fix the bug')
      await until(() => read.length === 1)
      await client.destroy()
      expect(read.splice(0)).toEqual([intents.includes(MessageContent) ? 'fix the bug' : ''])
    }
  })
})

describe('faults', () => {
  it('a bad token and intents that are switched off end the login', async () => {
    await expect(login([Guilds], 'a.bad.token')).rejects.toMatchObject({ code: 'TokenInvalid' })
    discord.gateway.allowed = 0
    await expect(login()).rejects.toThrow(/disallowed intents/i)
  })

  it('a dropped connection is resumed, and events come once or twice as scripted', async () => {
    const channel = discord.channel('tasks')
    const client = await login()
    const read: string[] = []
    // discord.js itself passes over a message that it knows.
    client.on('raw', ({ t, d }: { t: string; d: { content: string } }) => {
      if (t === 'MESSAGE_CREATE') read.push(d.content)
    })
    const anna = discord.person('anna')
    anna.type(channel, 'one')
    await until(() => read.length === 1)
    discord.gateway.repeatOnResume = 1
    discord.gateway.drop()
    await until(() => !discord.gateway.connected)
    anna.type(channel, 'two')
    await until(() => read.length === 3)
    expect([read, discord.gateway.resumes, discord.gateway.identifies]).toEqual([['one', 'one', 'two'], 1, 1])
  })

  it('a session that is gone is begun anew', async () => {
    const client = await login()
    // The library can be destroyed for good only when its login is answered.
    const again = new Promise((resolve) => client.once('shardReady', resolve))
    discord.gateway.resumable = false
    discord.gateway.drop()
    await again
    expect([discord.gateway.resumes, discord.gateway.identifies]).toEqual([1, 2])
  })

  it('of requests come as scripted, before and after their effect', async () => {
    const channel = discord.channel('tasks')
    const client = await login()
    const there = await client.channels.fetch(channel.id)
    if (there?.isSendable() !== true) throw new Error('no channel')
    const { faults } = discord.rest
    const send = async (): Promise<string> =>
      there.send('x').then(
        () => 'sent',
        (error: unknown) => String(Reflect.get(Object(error), 'status') ?? (error as Error).name),
      )
    faults.next('POST', /messages$/, { kind: 'status', status: 502 })
    expect([await send(), channel.messages.length]).toEqual(['502', 0])
    faults.next('POST', /messages$/, { kind: 'status', status: 502, after: true })
    expect([await send(), channel.messages.length]).toEqual(['502', 1])
    faults.next('POST', /messages$/, { kind: 'hang' })
    expect([await send(), channel.messages.length]).toEqual(['AbortError', 2])
    faults.next('POST', /messages$/, { kind: 'drop' })
    await send()
    expect(channel.messages.length).toBe(2)
    faults.next('POST', /messages$/, { kind: 'rate_limit', seconds: 0.2 })
    expect([await send(), channel.messages.length]).toEqual(['sent', 3])
    expect(discord.rest.seen.filter(({ status }) => status === 429)).toHaveLength(1)
  })
})
