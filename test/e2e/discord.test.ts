import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { LocalDiscord } from '../support/discord/discord.ts'
import { textOf } from '../support/discord/interaction.ts'
import { type DiscordLab, openDiscordLab } from '../support/discord/lab.ts'
import { buttonOf, type Person } from '../support/discord/person.ts'
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
let talk: Channel
let owner: Person
let stranger: Person

const agent = sh(
  `if grep -q 'use tabs' /cofferdam/attempt/prompt.md; then echo tabs >>said.txt; echo TASK_STATE: DONE
   elif grep -q dawdles /cofferdam/attempt/prompt.md; then echo step >>steps.txt; sleep 3; echo TASK_STATE: CONTINUE
   elif grep -q blocks /cofferdam/attempt/prompt.md; then echo 'BLOCK_REASON: which <@1> indentation? @everyone'; echo TASK_STATE: BLOCKED
   elif grep -q sleeps /cofferdam/attempt/prompt.md; then sleep 30
   else echo done >done.txt; fi`,
)

beforeAll(async () => {
  lab = await openDiscordLab({ agent })
  ;({ discord, plane, repo, home, talk, owner } = lab)
  stranger = discord.person('mallory')
})
afterAll(() => lab[Symbol.asyncDispose]())
beforeEach(() => discord.rest.faults.clear())

const start: DiscordLab['start'] = (goal, more) => lab.start(goal, more)
const threadOf: DiscordLab['threadOf'] = (id) => lab.threadOf(id)
const statusOf: DiscordLab['statusOf'] = (id) => lab.statusOf(id)
const draftOf: DiscordLab['draftOf'] = (id) => lab.draftOf(id)

describe('a task on Discord', () => {
  it('B03 B12 a risky one is a draft with its reasons, one surface; approved it runs, and the branch is there', async () => {
    const before = git(repo, 'status', '--porcelain=v1', '--branch')
    const id = await start('fix the build, then pip install requests')
    const [thread, draft] = await draftOf(id)
    expect(textOf(draft)).toMatch(/pip install/)
    expect(draft.pings).toEqual([owner.id])
    expect(thread.messages.filter((one) => textOf(one).includes('[Approve]'))).toHaveLength(1)
    const pressed = await owner.press(thread, draft, 'Approve')
    expect([pressed.ephemeral, pressed.text]).toEqual([true, `Task \`${id}\` is PENDING now.`])
    const applied = await discord.sees(thread, (one) => textOf(one).includes('APPLIED · applied'), 60_000)
    expect(textOf(applied)).toContain(`cofferdam/${id}`)
    expect(applied.files.map(({ name }) => name)).toEqual([`${id}.diff`])
    await discord.sees(thread, (one) => one.id === draft.id && textOf(one).includes('Approved'))
    expect([draft.components, textOf(draft)]).toEqual([[], expect.stringContaining(`by <@${owner.id}>`)])
    await until(() => textOf(statusOf(id) ?? applied).includes('APPLIED · applied'))
    await until(
      () =>
        statusOf(id)
          ?.reactions.map(({ emoji }) => emoji)
          .join() === '✅',
    )
    expect(git(repo, 'show', `cofferdam/${id}:done.txt`)).toBe('done\n')
    expect(git(repo, 'status', '--porcelain=v1', '--branch')).toBe(before)
  })

  it('B23 a button works once, and after it every one says what became of it', async () => {
    const id = await start('draft: do it')
    const [thread, draft] = await draftOf(id)
    const reject = buttonOf(draft, 'Reject')
    const [first, second] = await Promise.all([
      owner.pressId(thread, draft, reject).settled(),
      owner.pressId(thread, draft, reject).settled(),
    ])
    const texts = [first.text, second.text].toSorted()
    expect(texts).toEqual([
      `Task \`${id}\` is REJECTED now.`,
      expect.stringMatching(/has decided already \(reject\)/),
    ])
    await discord.sees(thread, (one) => one.id === draft.id && textOf(one).includes('Rejected'))
    expect((await owner.pressId(thread, draft, reject).settled()).text).toMatch(/has decided already/)
  })

  it('B24 a stranger is refused alone, nothing changes, and it is on record', async () => {
    const id = await start('draft: do it')
    const [thread, draft] = await draftOf(id)
    const pressed = await stranger.press(thread, draft, 'Approve')
    expect([pressed.ephemeral, pressed.text]).toEqual([true, expect.stringContaining('discord.owners')])
    expect((await stranger.press(thread, draft, 'Suggest')).modal).toBeNull()
    expect((await stranger.slash(home, 'task_stop', { task: id })).text).toContain('discord.owners')
    expect((await stranger.slash(home, 'task_list')).text).toContain('discord.owners')
    const task = await plane.client.task(id as never)
    expect([task.status, task.version]).toEqual(['DRAFT', 1])
    const { rows } = await plane.client.audit({ limit: 10 })
    expect(
      rows.filter(({ outcome, actor }) => outcome === 'refused' && actor?.id === stranger.id).length,
    ).toBeGreaterThan(2)
  })

  it('B25 a suggestion keeps it a draft: a new surface quotes it, and the old one is dead', async () => {
    const id = await start('draft: do it')
    const [thread, draft] = await draftOf(id)
    const form = await owner.press(thread, draft, 'Suggest')
    const sent = await owner.submit(form, { text: 'use tabs' })
    expect(sent.text).toBe(`Task \`${id}\` is DRAFT now.`)
    const fresh = await discord.sees(thread, (one) => one !== draft && textOf(one).includes('[Approve]'))
    expect(textOf(fresh)).toContain('use tabs')
    expect(textOf(draft)).toContain('see the newer message')
    expect(draft.components).toEqual([])
    await owner.press(thread, fresh, 'Approve')
    await discord.sees(thread, (one) => textOf(one).includes('APPLIED · applied'), 60_000)
    expect(git(repo, 'show', `cofferdam/${id}:said.txt`)).toBe('tabs\n')
  })

  it('B13 blocked, a plain reply in its thread goes on with it; what an agent says pings nobody', async () => {
    const id = await start('it blocks')
    const thread = await threadOf(id)
    const blocked = await discord.sees(thread, (one) => textOf(one).includes('BLOCKED · blocked'), 60_000)
    expect(textOf(blocked)).toContain('indentation')
    expect(blocked.pings).toEqual([owner.id])
    const said = owner.type(thread, 'use tabs')
    await until(() => said.reactions.some(({ emoji }) => emoji === '👀'))
    await discord.sees(thread, (one) => textOf(one).includes('APPLIED · applied'), 60_000)
    expect(git(repo, 'show', `cofferdam/${id}:said.txt`)).toBe('tabs\n')
  })

  it('running, a plain reply in its thread steers it for its next step', async () => {
    const id = await start('it dawdles')
    const thread = await threadOf(id)
    await discord.sees(home, (one) => textOf(one).includes(id) && textOf(one).includes('agent at work'))
    const said = owner.type(thread, 'use tabs')
    await until(() => said.reactions.some(({ emoji }) => emoji === '👀'))
    await discord.sees(thread, (one) => textOf(one).includes('APPLIED · applied'), 60_000)
    expect(git(repo, 'show', `cofferdam/${id}:said.txt`)).toBe('tabs\n')
    expect(git(repo, 'show', `cofferdam/${id}:steps.txt`)).toMatch(/^step\n/)
  })

  it('B02 that only tells of drafting is no draft', async () => {
    const id = await start('drafting plan')
    expect((await plane.client.task(id as never)).status).not.toBe('DRAFT')
  })

  it('B01 B02 a wish becomes a task, talk does not, in two languages', async () => {
    const tasks = async (): Promise<number> => (await plane.client.tasks({})).length
    const before = await tasks()
    owner.type(talk, 'hello')
    owner.type(talk, 'how does the parser work?')
    stranger.type(talk, 'Please fix this bug and run tests')
    owner.type(talk, '草稿：做 x')
    const answered = await discord.sees(talk, (one) => textOf(one).includes('waits for a decision'))
    expect(await tasks()).toBe(before + 1)
    owner.type(talk, '帮我修复这个问题并跑测试')
    await discord.sees(talk, (one) => one !== answered && textOf(one).includes('runs by itself'))
    owner.type(talk, 'Please fix this bug and run tests')
    await until(() => talk.messages.filter((one) => textOf(one).includes('runs by itself')).length === 2)
    expect(await tasks()).toBe(before + 3)
  })

  it('B09 a task is stopped by a word in its thread', async () => {
    const id = await start('it sleeps')
    const thread = await threadOf(id)
    await discord.sees(home, (one) => textOf(one).includes(id) && textOf(one).includes('agent at work'))
    owner.type(thread, 'stop')
    await discord.sees(thread, (one) => textOf(one).includes('STOPPED · stopped'))
    expect((await plane.client.task(id as never)).status).toBe('STOPPED')
  })

  it('every command answers, with what there is or with a sentence that says what to do', async () => {
    const id = await start('do it')
    const thread = await threadOf(id)
    await discord.sees(thread, (one) => textOf(one).includes('APPLIED · applied'), 60_000)
    const said = async (name: string, options: Record<string, string | number> = {}): Promise<string> => {
      const answer = await owner.slash(home, name, options)
      expect(answer.ephemeral).toBe(true)
      return [
        answer.text,
        ...answer.messages.flatMap(({ files }) => files.map(({ bytes }) => bytes.toString())),
      ].join('\n')
    }
    const task = { task: id }
    expect(await said('task_status', task)).toMatch(/`\/task_changes task:[^]*APPLIED/)
    expect(await said('task_list')).toContain(`\`${id}\` **APPLIED**`)
    expect(await said('task_list', { state: 'applied' })).toContain(id)
    expect(await said('task_list', { state: 'needs' })).not.toContain(id)
    expect(await said('task_changes', task)).toContain('+done')
    expect(await said('task_changes', { ...task, against: 'main' })).toMatch(/in main now[^]*\+done/)
    expect(await said('task_changes', { ...task, step: 9 })).toMatch(/has no checkpoint of step 9/)
    expect(await said('task_logs', task)).toMatch(/agent/)
    for (const act of ['task_pause', 'task_stop', 'task_resume', 'task_approve', 'task_reject'])
      expect(await said(act, task)).toMatch(/APPLIED/)
    expect(await said('task_suggest', { ...task, text: 'more' })).toMatch(
      /is not merged as it is\. Task `\w+` changes it, and is /,
    )
    expect(await said('task_status', { task: 'nonsense' })).toMatch(/is no task id: .*\/task_list/)
    expect(await said('task_status', { task: 'aaaaaaaaaa' })).toMatch(/There is no task aaaaaaaaaa/)
    expect(await said('task_start', { goal: 'x', repository: '/nowhere' })).toMatch(/no folder \/nowhere/)
    expect(await said('task_start', { goal: ' ' })).toMatch(/The goal is empty/)
    expect(await said('schedule_list')).toMatch(/There is none/)
    expect(await said('schedule_run', { schedule: 'nightly' })).toMatch(/There is no schedule nightly/)
    expect(await said('doctor')).toMatch(/✅ \*\*discord\*\* Discord is connected/)
    expect(await said('ask', { question: 'how does the parser work?' })).toMatch(
      /No agent that can answer is configured/,
    )
    expect(await owner.complete(home, 'task_changes', 'task', id.slice(0, 4))).toContain(id)
    expect(await owner.complete(home, 'task_approve', 'task', id)).toEqual([])
    expect(await owner.complete(home, 'task_start', 'repository', '')).toEqual([repo])
    expect(await stranger.complete(home, 'task_changes', 'task', '')).toEqual([])
  })

  it('B25 a suggestion by command resumes what is blocked, though it was a draft once', async () => {
    const id = await start('draft: it blocks')
    const [thread, draft] = await draftOf(id)
    expect((await owner.slash(home, 'task_approve', { task: id })).text).toBe(
      `Task \`${id}\` is PENDING now.`,
    )
    await discord.sees(thread, (one) => textOf(one).includes('BLOCKED · blocked'), 60_000)
    const dead = await owner.pressId(thread, draft, `tdec:${id}:suggest:aaaaaaaa`).settled()
    expect([dead.modal, dead.text]).toEqual([null, expect.stringMatching(/That is no button of task/)])
    const said = await owner.slash(home, 'task_suggest', { task: id, text: 'use tabs' })
    expect(said.text).toBe(`Task \`${id}\` is PENDING now.`)
    await discord.sees(thread, (one) => textOf(one).includes('APPLIED · applied'), 60_000)
  })

  it('B30 whatever is searched for is answered', async () => {
    for (const words of ['foo-bar', 'C++', "it's", '"', '*', '修复', ' ', 'x'.repeat(6000)]) {
      const { text } = await owner.slash(home, 'search', { words })
      expect(text).toMatch(/Nothing was found|`[a-z2-7]{10}`/)
    }
  })
})
