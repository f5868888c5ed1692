import { Agent, getGlobalDispatcher } from 'undici'
import { REST } from 'discord.js'
import { patience, sendOnce } from '../../../src/discord/sending.ts'
import { openDiscord } from '../../support/discord/discord.ts'

await using discord = await openDiscord()
const home = discord.channel('tasks')
const rest = new REST({ ...patience, api: discord.api }).setToken(discord.token)
const message = { content: 'Done.', files: [{ name: 'a.diff', text: '+ “é” 🚣\n' }] }
const once = { channel: home.id, message, key: 'a letter', mark: 'a mark', mayBeThereSince: null }
await sendOnce(rest, discord.world.bot.id, once, new AbortController().signal)
const sent = home.messages.map(({ content, files }) => ({
  content,
  files: files.map(({ name, bytes }) => ({ name, text: bytes.toString() })),
}))
process.stdout.write(JSON.stringify({ isFirst: getGlobalDispatcher() instanceof Agent, sent }))
