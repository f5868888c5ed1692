import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { taskIdSchema } from '../../src/domain/schemas.ts'
import type { Task } from '../../src/domain/task.ts'
import type { LocalDiscord } from '../support/discord/discord.ts'
import { textOf } from '../support/discord/interaction.ts'
import { type DiscordLab, openDiscordLab } from '../support/discord/lab.ts'
import type { Person } from '../support/discord/person.ts'
import type { Channel } from '../support/discord/world.ts'
import { sh, type TestPlane } from '../support/plane.ts'
import { git } from '../support/repository.ts'
import { until } from '../support/until.ts'

// What each command and option does, and for whom: the real bot, engine and git, and a Discord of one's own.

let lab: DiscordLab
let discord: LocalDiscord
let plane: TestPlane
let home: Channel
let owner: Person
let operator: Person
let viewer: Person

const agent = sh(
  `if grep -q 'go on' /cofferdam/attempt/prompt.md; then echo on >>said.txt; echo TASK_STATE: DONE
   elif grep -q sleeps /cofferdam/attempt/prompt.md; then sleep 60
   else echo done >done.txt; echo TASK_STATE: DONE; fi`,
)

beforeAll(async () => {
  lab = await openDiscordLab({
    agent,
    people: (world) => {
      const role = world.world.addRole('hands')
      operator = world.person('otto', [role])
      viewer = world.person('vera')
      return { operators: [`role:${role}`], viewers: [viewer.id] }
    },
    more: (repo) => [
      `schedules: { nightly: { cron: "0 3 1 1 *", task: { goal: tidy up, repository: ${JSON.stringify(repo)} } } }`,
    ],
  })
  ;({ discord, plane, home, owner } = lab)
})
afterAll(() => lab[Symbol.asyncDispose]())

const task = (id: string): Promise<Task> => plane.client.task(taskIdSchema.parse(id))
const says = async (who: Person, name: string, options: Record<string, string | number | boolean> = {}) =>
  (await who.slash(home, name, options)).text
const applied = async (id: string): Promise<void> => {
  const thread = await lab.threadOf(id)
  await discord.sees(thread, (one) => textOf(one).includes('APPLIED · applied'), 60_000)
}
const atWork = (id: string) =>
  discord.sees(home, (one) => textOf(one).includes(id) && textOf(one).includes('agent at work'), 60_000)

describe('a command', () => {
  it('B13 pauses a task, and has it go on with a word for the agent and a larger budget', async () => {
    const id = await lab.start('it sleeps')
    await atWork(id)
    expect(await says(owner, 'task_pause', { task: id })).toBe(`Task \`${id}\` is BLOCKED now.`)
    const thread = await lab.threadOf(id)
    await discord.sees(thread, (one) => textOf(one).includes('BLOCKED · paused'))
    await until(async () => (await task(id)).phase === null)
    const more = { instruction: 'go on', steps: 5, minutes: 12.5, tokens: 1000, cost: 1.5 }
    expect(await says(owner, 'task_resume', { task: id, ...more })).toBe(`Task \`${id}\` is PENDING now.`)
    await applied(id)
    expect((await task(id)).budget).toEqual({ steps: 5, seconds: 750, tokens: 1000, costUsd: 1.5 })
    expect(git(lab.repo, 'show', `cofferdam/${id}:said.txt`)).toBe('on\n')
  })

  it('pauses and goes on by a word in its thread too', async () => {
    const id = await lab.start('it sleeps')
    await atWork(id)
    const thread = await lab.threadOf(id)
    owner.type(thread, 'pause')
    await discord.sees(thread, (one) => one.content === `Task \`${id}\` is BLOCKED now.`)
    await until(async () => (await task(id)).phase === null)
    owner.type(thread, 'resume')
    await until(async () => (await task(id)).status === 'RUNNING')
    owner.type(thread, 'stop')
    await discord.sees(thread, (one) => one.content === `Task \`${id}\` is STOPPED now.`)
    const news = (await plane.client.events(taskIdSchema.parse(id), 0)).map(({ type }) => type)
    expect(news.filter((type) => ['paused', 'resumed', 'stopped'].includes(type))).toEqual([
      'paused',
      'resumed',
      'stopped',
    ])
  })

  it('lists the schedules, and runs one', async () => {
    expect(await says(owner, 'schedule_list')).toMatch(/^\*\*nightly\*\* next <t:\d+:R>$/)
    const said = await says(owner, 'schedule_run', { schedule: 'nightly' })
    const id = /^Schedule \*\*nightly\*\* made task `([a-z2-7]{10})`, which is PENDING\.$/.exec(said)?.[1]
    await applied(id ?? said)
    expect(await owner.complete(home, 'schedule_run', 'schedule', 'ni')).toEqual(['nightly'])
    expect(await says(owner, 'schedule_run', { schedule: 'weekly' })).toMatch(/There is no schedule weekly/)
  })

  it('starts a task with each of its options as it was typed', async () => {
    const test = 'grep -q done done.txt'
    const more = { repository: lab.repo, agent: 'command', test, steps: 3, minutes: 4.5 }
    const id = await lab.start('do it', more)
    expect(await task(id)).toMatchObject({
      goal: 'do it',
      repository: { path: lab.repo },
      test,
      agent: { name: 'command', argv: agent },
      budget: { steps: 3, seconds: 270 },
    })
    await applied(id)
    expect((await task(id)).outcome).toBe('tested')
    const named = await lab.start('do it', { repository: lab.repo.split('/').at(-1) ?? '', draft: true })
    expect(await task(named)).toMatchObject({ status: 'DRAFT', repository: { path: lab.repo } })
    const large = await lab.start('do it', { steps: 12, minutes: 25 })
    const [, draft] = await lab.draftOf(large)
    expect(textOf(draft)).toMatch(/12 steps[^]*25 minutes/)
    expect(await owner.complete(home, 'task_start', 'agent', '')).toContain('command')
    expect(await says(owner, 'task_start', { goal: 'do it', agent: 'nobody' })).toMatch(/nobody/)
  })
})

describe('B24 an operator', () => {
  it('starts tasks, and stops and steers their own and no other', async () => {
    const own = await lab.start('draft: do it', {}, operator)
    const others = await lab.start('draft: do it')
    const [thread, draft] = await lab.draftOf(own)
    const pressed = await operator.press(thread, draft, 'Approve')
    expect([pressed.ephemeral, pressed.text]).toEqual([true, expect.stringMatching(/may not approve a task/)])
    expect(await says(operator, 'task_approve', { task: own })).toMatch(/may not approve a task/)
    expect(await says(operator, 'task_reject', { task: own })).toMatch(/may not reject a task/)
    expect(await says(operator, 'task_stop', { task: others })).toMatch(/is not theirs/)
    expect((await task(others)).status).toBe('DRAFT')
    expect(await says(operator, 'task_suggest', { task: own, text: 'use tabs' })).toMatch(/is DRAFT now/)
    const [theirs] = await lab.draftOf(others)
    operator.type(theirs, 'stop')
    await discord.sees(theirs, (one) => /is not theirs/.test(one.content))
    operator.type(thread, 'stop')
    await until(async () => (await task(own)).status === 'STOPPED')
    expect((await task(own)).goal).toBe('do it\n\nuse tabs')
  })

  it('loses that with the role', async () => {
    const id = await lab.start('draft: do it', {}, operator)
    const taken = operator.member.roles.splice(0)
    expect(await says(operator, 'task_stop', { task: id })).toContain('discord.owners')
    operator.member.roles.push(...taken)
    expect(await says(operator, 'task_stop', { task: id })).toMatch(/is STOPPED now/)
  })
})

describe('B24 a viewer', () => {
  it('looks, and does nothing', async () => {
    const id = await lab.start('draft: do it')
    const [thread, draft] = await lab.draftOf(id)
    expect(await says(viewer, 'task_status', { task: id })).toContain('/task_approve')
    expect(await says(viewer, 'task_list')).toContain(id)
    expect(await says(viewer, 'search', { words: 'do it' })).toContain(id)
    const acts = ['task_approve', 'task_reject', 'task_stop', 'task_pause', 'task_resume']
    for (const name of acts) expect(await says(viewer, name, { task: id })).toMatch(/may look, and not/)
    expect(await says(viewer, 'task_start', { goal: 'do it' })).toMatch(/may look, and start no task/)
    expect(await says(viewer, 'schedule_run', { schedule: 'nightly' })).toMatch(/may look, and not run/)
    expect((await viewer.press(thread, draft, 'Approve')).text).toMatch(/may look, and not approve/)
    const before = (await plane.client.tasks({})).length
    const unheard = [viewer.type(thread, 'stop'), viewer.type(lab.talk, 'Please fix this bug and run tests')]
    // What comes after it has been heard, so that was not.
    const heard = owner.type(thread, 'use tabs')
    await until(() => heard.reactions.length === 1)
    expect(unheard.flatMap(({ reactions }) => reactions)).toEqual([])
    expect([(await task(id)).status, (await plane.client.tasks({})).length]).toEqual(['DRAFT', before])
  })
})

it('/readyz says that Discord is not connected, and tasks go on', async () => {
  expect((await plane.get('/readyz')).status).toBe(200)
  discord.token = 'another.token'
  discord.gateway.closeWith(4004)
  await until(async () => (await plane.get('/readyz')).status === 503)
  const { detail } = (await (await plane.get('/readyz')).json()) as { detail: string }
  expect(detail).toMatch(/^Discord is not connected\./)
  expect((await plane.get('/healthz')).status).toBe(200)
  const found = (await plane.client.doctor()).find(({ name }) => name === 'discord')
  expect(found).toMatchObject({ state: 'problem', text: expect.stringContaining('does not know the token') })
})
