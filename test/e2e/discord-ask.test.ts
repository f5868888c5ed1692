import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TaskId } from '../../src/domain/ids.ts'
import { taskIdSchema } from '../../src/domain/schemas.ts'
import type { LocalDiscord } from '../support/discord/discord.ts'
import { textOf } from '../support/discord/interaction.ts'
import { type DiscordLab, openDiscordLab } from '../support/discord/lab.ts'
import type { Person } from '../support/discord/person.ts'
import type { Channel, Message } from '../support/discord/world.ts'
import { sh, type TestPlane } from '../support/plane.ts'
import { git } from '../support/repository.ts'
import { until } from '../support/until.ts'

// Questions through the real bot, the real engine and git; who answers is a program.

const answerer = sh(`
  prompt=/cofferdam/attempt/prompt.md
  if grep -q 'at length' $prompt; then seq 1 2000; echo "the end"; exit; fi
  if grep -q 'Which one' $prompt && ! grep -q 'the second' $prompt; then
    echo 'BLOCK_REASON: which <@1>? @everyone'; echo TASK_STATE: BLOCKED; exit; fi
  if grep -q 'sleeps' $prompt; then sleep 4; fi
  echo "**README** says $(cat README.md) <@1> @everyone [here](https://evil.example)"
  echo "after $(grep -c '^| Question: ' $prompt)"`)

let lab: DiscordLab
let discord: LocalDiscord
let plane: TestPlane
let home: Channel
let owner: Person
let viewer: Person
beforeAll(async () => {
  lab = await openDiscordLab({
    agent: ['prettier'],
    people: (world) => {
      viewer = world.person('vera')
      return { viewers: [viewer.id] }
    },
    more: () => [`ask: { agent: { name: command, argv: ${JSON.stringify(answerer)} } }`],
  })
  ;({ discord, plane, home, owner } = lab)
})
afterAll(() => lab[Symbol.asyncDispose]())

async function ask(options: Record<string, string>): Promise<TaskId> {
  const { text, ephemeral } = await owner.slash(home, 'ask', options)
  expect([text, ephemeral]).toEqual([expect.stringMatching(/^Question `[a-z2-7]{10}`: /), true])
  return taskIdSchema.parse(/`([a-z2-7]{10})`/.exec(text)?.[1])
}
/** The answer to the n-th question of a thread. */
async function answerIn(thread: Channel, n: number): Promise<Message> {
  const answers = (): readonly Message[] =>
    thread.messages.filter((one) => textOf(one).includes('APPLIED · answered'))
  await until(() => answers().length >= n)
  const found = answers()[n - 1]
  if (found === undefined) throw new Error('there is no answer')
  return found
}

let asked: Promise<TaskId> | null = null
/** A question that is answered, asked once for the tests that only go on from there. */
const answered = (): Promise<TaskId> =>
  (asked ??= (async () => {
    const id = await ask({ question: 'What does the README say?' })
    await answerIn(await lab.threadOf(id), 1)
    return id
  })())

describe('a question on Discord', () => {
  it('is answered in a thread of its own, and what the agent says is shown letter by letter and pings nobody', async () => {
    const id = await answered()
    const thread = await lab.threadOf(id)
    const answer = await answerIn(thread, 1)
    expect(textOf(answer)).toContain('\\*\\*README\\*\\* says hello')
    expect(textOf(answer)).not.toMatch(/@everyone|\[here\]\(/)
    expect(answer.pings).toEqual([owner.id])
    expect(textOf(answer)).toContain('Reply in its thread to ask more.')
    expect([answer.files, textOf(answer)]).toEqual([[], expect.not.stringContaining('task_changes')])
    await until(() => textOf(lab.statusOf(id) ?? answer).includes('APPLIED · answered'))
    expect(textOf(lab.statusOf(id) ?? answer)).not.toContain(`cofferdam/${id}`)
    expect(git(lab.repo, 'branch', '--list', 'cofferdam*')).toBe('')
    const { rows } = await plane.client.audit({ limit: 5 })
    expect(rows.map(({ action, outcome }) => `${action} ${outcome}`)).toContain('discord /ask allowed')
  })

  it('a plain reply in its thread is a follow-up, which is answered there, again and again', async () => {
    const id = await answered()
    const thread = await lab.threadOf(id)
    const said = owner.type(thread, 'And what else?')
    await until(() => said.reactions.some(({ emoji }) => emoji === '👀'))
    expect(textOf(await answerIn(thread, 2))).toContain('after 1')
    owner.type(thread, 'Is that all?')
    expect(textOf(await answerIn(thread, 3))).toContain('after 2')
    const [last, middle] = await plane.client.tasks({ kind: 'question', limit: 2 })
    expect([last?.parentTaskId, middle?.parentTaskId]).toEqual([middle?.id, id])
    // One conversation, one thread, one status message.
    for (const one of [last, middle]) expect(lab.statusOf(one?.id ?? '')).toBeUndefined()
    expect(await owner.complete(home, 'ask', 'follow_up', '')).toContain(last?.id)
  })

  // Tests below follow up by the command, and discord-faults.test.ts has what was typed while nobody was there.
  it('also by the command, which names the question that it follows up', { tags: ['long'] }, async () => {
    const id = await ask({ question: 'What does the README say?' })
    const thread = await lab.threadOf(id)
    await answerIn(thread, 1)
    await ask({ question: 'And else?', follow_up: id })
    expect(textOf(await answerIn(thread, 2))).toContain('after 1')
  })

  it('while it is being answered, a reply is told to wait', async () => {
    const id = await ask({ question: 'Who sleeps?' })
    const thread = await lab.threadOf(id)
    await discord.sees(home, (one) => textOf(one).includes(id) && textOf(one).includes('agent at work'))
    owner.type(thread, 'and why?')
    const told = await discord.sees(thread, (one) => textOf(one).includes('is being answered'))
    expect(told.pings).toEqual([])
    await answerIn(thread, 1)
  })

  it('B13 blocked, a plain reply goes on with it', async () => {
    const id = await ask({ question: 'Which one?' })
    const thread = await lab.threadOf(id)
    const blocked = await discord.sees(thread, (one) => textOf(one).includes('BLOCKED · blocked'), 60_000)
    expect(blocked.pings).toEqual([owner.id])
    owner.type(thread, 'the second')
    expect(textOf(await answerIn(thread, 1))).toContain('says hello')
  })

  it('a long answer comes with all of it attached', async () => {
    const id = await ask({ question: 'Tell me at length' })
    const answer = await answerIn(await lab.threadOf(id), 1)
    expect(textOf(answer)).toContain('All of it is attached.')
    expect(answer.files.map(({ name }) => name)).toEqual([`${id}.md`])
    expect(answer.files[0]?.bytes.toString()).toMatch(/^1\n2\n[^]*\n2000\nthe end$/)
  })

  it('B03 B24 passes the risk gate as a draft does, and is not for viewers', async () => {
    const { text } = await owner.slash(home, 'ask', { question: 'Run pip install requests, what happens?' })
    expect(text).toContain('It waits for a decision')
    const id = /`([a-z2-7]{10})`/.exec(text)?.[1] ?? ''
    const [thread, draft] = await lab.draftOf(id)
    expect(textOf(draft)).toContain('Draft: have this question answered?')
    await owner.press(thread, draft, 'Approve')
    await answerIn(thread, 1)
    const refused = await viewer.slash(home, 'ask', { question: 'Why?' })
    expect([refused.text, refused.ephemeral]).toEqual([
      expect.stringMatching(/may look, and start no task/),
      true,
    ])
  })

  it('says what it cannot do: a diff of a question, a follow-up of a task', async () => {
    const id = await answered()
    expect((await owner.slash(home, 'task_changes', { task: id })).text).toMatch(/changes nothing/)
    expect((await owner.slash(home, 'task_resume', { task: id })).text).toMatch(/`\/ask follow_up:/)
    expect((await owner.slash(home, 'task_status', { task: id })).text).toMatch(
      /Reply in its thread to ask more/,
    )
    expect((await owner.slash(home, 'ask', { question: 'x', follow_up: 'aaaaaaaaaa' })).text).toMatch(
      /no task/,
    )
    expect((await owner.slash(home, 'ask', { question: 'x', agent: 'nobody' })).text).toMatch(
      /no agent "nobody"/,
    )
    expect(await owner.complete(home, 'ask', 'agent', '')).not.toContain('command')
  })

  it('B26 a follow-up is answered in a thread of its own where somebody has removed the first', async () => {
    const id = await ask({ question: 'What does the README say?' })
    const thread = await lab.threadOf(id)
    await answerIn(thread, 1)
    discord.world.channels.delete(thread.id)
    const next = await ask({ question: 'And else?', follow_up: id })
    const own = await lab.threadOf(next)
    expect(textOf(await answerIn(own, 1))).toContain('after 1')
    await until(() => {
      const status = lab.statusOf(next)
      return status !== undefined && textOf(status).includes('APPLIED · answered')
    })
  })

  it('B26 and where somebody has locked the first, also where it waits for a decision', async () => {
    const id = await ask({ question: 'What does the README say?' })
    const thread = await lab.threadOf(id)
    await answerIn(thread, 1)
    thread.archived = true
    thread.locked = true
    const { text } = await owner.slash(home, 'ask', {
      question: 'Run pip install requests, what happens?',
      follow_up: id,
    })
    const next = /`([a-z2-7]{10})`/.exec(text)?.[1] ?? ''
    const [own, draft] = await lab.draftOf(next)
    await owner.press(own, draft, 'Approve')
    expect(textOf(await answerIn(own, 1))).toContain('after 1')
  })

  it('B26 what was said to one question of a thread is not said to the next after a restart', async () => {
    const id = await ask({ question: 'What does the README say?' })
    const thread = await lab.threadOf(id)
    await answerIn(thread, 1)
    owner.type(thread, 'And what else?')
    await answerIn(thread, 2)
    const next = await ask({ question: 'Which one?', follow_up: id })
    await discord.sees(thread, (one) => textOf(one).includes(next) && textOf(one).includes('BLOCKED'), 60_000)
    await plane.reopen()
    // Whatever was missed is read before this.
    const stop = owner.type(thread, 'stop')
    await until(() => stop.reactions.some(({ emoji }) => emoji === '👀'))
    expect((await plane.settled(next)).status).toBe('STOPPED')
    const types = (await plane.client.events(next, 0)).map(({ type }) => type)
    expect(types).not.toContain('resumed')
    expect(thread.messages.filter((one) => textOf(one).includes('APPLIED'))).toHaveLength(2)
  })

  it('B26 what is asked while Cofferdam is away is heard when it is back', { tags: ['long'] }, async () => {
    const id = await ask({ question: 'What does the README say?' })
    const thread = await lab.threadOf(id)
    await answerIn(thread, 1)
    const back = plane.reopen()
    owner.type(thread, 'Is anybody there?')
    await back
    expect(textOf(await answerIn(thread, 2))).toContain('after 1')
  })
})
