import { ChannelType, REST } from 'discord.js'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { patience } from '../../src/discord/sending.ts'
import { Talk } from '../../src/discord/talk.ts'
import type { Act } from '../../src/domain/control-plane.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { MessageBook } from '../../src/domain/outbox/messages.ts'
import type { QuestionRequest } from '../../src/domain/question/request.ts'
import type { Task } from '../../src/domain/task.ts'
import { aBook } from '../support/discord/book.ts'
import { type LocalDiscord, openDiscord } from '../support/discord/discord.ts'
import type { Person } from '../support/discord/person.ts'
import type { Channel, Message } from '../support/discord/world.ts'
import { aTask, aTaskId, aTaskIdOf } from '../support/task.ts'
import { until } from '../support/until.ts'

// What is written while nobody listens. Sessions begin when a test says so.

let discord: LocalDiscord
let thread: Channel
let owner: Person
let book: MessageBook
let task: Task
/** Further tasks, which follow that one up. */
let later: Map<TaskId, Task>
let said: (string | null)[]
let asked: QuestionRequest[]
/** What asking comes to, by the question. */
let asks: (question: string) => Promise<void>
/** The questions by the messages that they were asked with. */
let made: Map<string, Task>
let reported: unknown[]
let talks: Talk[]
let roles: string[]

beforeEach(async () => {
  discord = await openDiscord({ reaction: 0 })
  thread = discord.world.addChannel('a task', {
    type: ChannelType.PublicThread,
    parent: discord.channel('tasks').id,
  })
  owner = discord.person('anna')
  roles = []
  book = aBook()
  const row = { destination: 'd', taskId: aTaskId, channel: 'c', shown: 1, revision: 1, settled: true }
  book.put({ ...row, kind: 'thread', message: thread.id })
  book.put({ ...row, kind: 'heard', channel: thread.id, message: thread.id })
  task = aTask({ status: 'RUNNING', phase: 'agent' })
  later = new Map()
  said = []
  asked = []
  asks = () => Promise.resolve()
  made = new Map()
  reported = []
  talks = []
})
afterEach(async () => {
  for (const one of talks) one.close()
  await discord[Symbol.asyncDispose]()
})

/** As a process that has just been started. */
function aTalk(): Talk {
  const rest = new REST({ api: discord.api, ...patience }).setToken(discord.token)
  const nobody = { users: [], roles: [] }
  const plane = {
    task: (id: TaskId) => later.get(id) ?? task,
    made: (key: string) => made.get(key) ?? null,
    ask: async (request: QuestionRequest, _: unknown, key: string) => {
      asked.push(request)
      await asks(request.question)
      const question = aTask({
        id: aTaskIdOf(asked.length),
        kind: 'question',
        parentTaskId: request.followUp,
      })
      made.set(key, question)
      return { task: question }
    },
    act: (_: unknown, act: Act) => {
      said.push('text' in act ? act.text : act.act)
      return Promise.resolve(task)
    },
    access: { record: () => undefined },
  }
  const settings = {
    guild: discord.world.guildId,
    listen: [],
    members: { owner: { users: [owner.id], roles }, operator: nobody, viewer: nobody },
  }
  const report = (error: unknown): void => void reported.push(error)
  const talk = new Talk(
    { plane: () => plane as never, settings: settings as never, book, report },
    () => rest,
  )
  talks.push(talk)
  return talk
}

/** As the gateway tells of it. */
const dispatched = (message: Message) => ({ ...message, guild_id: discord.world.guildId })
const eyes = (message: Message): boolean => message.reactions.some(({ emoji }) => emoji === '👀')

describe('what was written while nobody listened', () => {
  it('is heard in its order, page by page, and once however often a session begins', async () => {
    const mallory = discord.person('mallory')
    const all = ['one', 'two', 'three', 'four']
    for (const text of all) {
      owner.type(thread, text)
      for (let others = 0; others < 60; others += 1) mallory.type(thread, 'and so on')
    }
    const talk = aTalk()
    await talk.catchUp()
    await talk.catchUp()
    await aTalk().catchUp()
    expect(said).toEqual(all)
    expect(thread.messages.filter(eyes)).toHaveLength(4)
    expect(reported).toEqual([])
  })

  it('comes before what is written now, which is not heard twice either', async () => {
    owner.type(thread, 'first')
    const second = owner.type(thread, 'second')
    discord.rest.faults.next('GET', /threads\/active$/, { kind: 'late', ms: 100 })
    const talk = aTalk()
    await Promise.all([talk.catchUp(), talk.hear(dispatched(second))])
    await talk.hear(dispatched(owner.type(thread, 'third')))
    await aTalk().catchUp()
    expect(said).toEqual(['first', 'second', 'third'])
  })

  it('is not done again where the process ended while it did it', async () => {
    owner.type(thread, 'use tabs')
    discord.rest.faults.next('PUT', /reactions/, { kind: 'hang', before: true })
    const talk = aTalk()
    void talk.catchUp()
    await until(() => said.length === 1)
    talk.close()
    await aTalk().catchUp()
    expect(said).toEqual(['use tabs'])
  })

  it('is left alone where the task is final, in threads of others, and by who is nobody here', async () => {
    const mallory = discord.person('mallory')
    mallory.type(thread, 'stop')
    const other = discord.world.addChannel('a talk', {
      type: ChannelType.PublicThread,
      parent: thread.parent,
    })
    owner.type(other, 'stop')
    await aTalk().catchUp()
    task = aTask({ status: 'APPLIED' })
    owner.type(thread, 'more')
    await aTalk().catchUp()
    expect([said, thread.messages.filter(eyes), thread.messages.length]).toEqual([[], [], 2])
  })

  it('is left alone where nobody has listened before, and heard from then on', async () => {
    book.forget('', { kind: 'heard' })
    owner.type(thread, 'long ago')
    await aTalk().catchUp()
    owner.type(thread, 'lately')
    await aTalk().catchUp()
    expect(said).toEqual(['lately'])
  })

  it('counts by the roles of who wrote it, also of one who has left', async () => {
    roles = [discord.world.addRole('leads')]
    const [lead, gone] = [discord.person('lea', roles), discord.person('gus', roles)]
    lead.type(thread, 'use tabs')
    gone.type(thread, 'use spaces')
    discord.world.members.delete(gone.id)
    await aTalk().catchUp()
    expect([said, reported]).toEqual([['use tabs'], []])
  })

  it('that cannot be read is reported, and what is written now is heard', async () => {
    discord.rest.faults.next('GET', /threads\/active$/, { kind: 'status', status: 403 })
    const talk = aTalk()
    await talk.catchUp()
    await talk.hear(dispatched(owner.type(thread, 'use tabs')))
    expect([said, reported.length]).toEqual([['use tabs'], 1])
  })

  it('in a thread that cannot be read waits for that, and comes before what is written then', async () => {
    owner.type(thread, 'first')
    const path = new RegExp(`/channels/${thread.id}/messages`)
    // Three requests each time.
    discord.rest.faults.next('GET', path, { kind: 'status', status: 503 }, 6)
    const talk = aTalk()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true })
    try {
      await talk.catchUp()
      await talk.hear(dispatched(owner.type(thread, 'second')))
      expect([said, reported.length]).toEqual([[], 1])
      await vi.advanceTimersByTimeAsync(6000)
    } finally {
      vi.useRealTimers()
    }
    await until(() => reported.length === 2)
    expect(said).toEqual([])
    await talk.catchUp()
    expect(said).toEqual(['first', 'second'])
  })

  it('is heard to the end also where one cannot be answered', async () => {
    for (const text of ['stop', 'use tabs']) owner.type(thread, text)
    discord.rest.faults.next('POST', /messages$/, { kind: 'status', status: 403 })
    await aTalk().catchUp()
    expect([said, reported.length]).toEqual([[null, 'use tabs'], 1])
  })
})

describe('in the thread of several questions', () => {
  const answered: Partial<Task> = { kind: 'question', status: 'APPLIED', answer: 'So.' }
  /** A follow-up whose first letter has come into the thread. */
  const joins = (number: number, more: Partial<Task> = {}): TaskId => {
    const id = aTaskIdOf(number)
    later.set(id, aTask({ ...answered, id, parentTaskId: aTaskId, ...more }))
    const row = { destination: 'd', taskId: id, channel: 'c', shown: 1, revision: 1, settled: true }
    book.put({ ...row, kind: 'thread', message: thread.id })
    return id
  }
  const goals = (): readonly string[] => asked.map(({ question }) => question)

  beforeEach(() => {
    task = aTask(answered)
  })

  it('what was said to an earlier one is not heard again, and what was written since is', async () => {
    const talk = aTalk()
    joins(1, { status: 'RUNNING', answer: null })
    await talk.hear(dispatched(owner.type(thread, 'stop')))
    joins(2)
    owner.type(thread, 'And why?')
    await aTalk().catchUp()
    await aTalk().catchUp()
    expect([said, goals()]).toEqual([[null], ['And why?']])
  })

  it('what was asked by a process that ended then is not done with a later one', async () => {
    const first = owner.type(thread, 'And why?')
    made.set(`discord:${first.id}`, aTask({ ...answered, id: joins(1) }))
    joins(2, { status: 'BLOCKED', answer: null, halt: { reason: 'agent', text: 'Which?' } })
    await aTalk().catchUp()
    await aTalk().catchUp()
    expect([said, goals(), eyes(first)]).toEqual([[], [], true])
  })

  it('what is still being asked when the process ends is asked by the next, with what was written after it', async () => {
    const talk = aTalk()
    asks = (question) => (question === 'first' ? new Promise(() => undefined) : Promise.resolve())
    const all = ['first', 'second'].map((text) => owner.type(thread, text))
    for (const message of all) void talk.hear(dispatched(message))
    await until(() => asked.length > 0)
    talk.close()
    asks = () => Promise.resolve()
    await aTalk().catchUp()
    expect(goals()).toEqual(['first', 'first', 'second'])
  })

  it.each([
    ['refused', new Failure('repository', 'It is not there.'), ['And why?']],
    ['broken off', new Failure('worktree', 'git was ended.'), ['And why?', 'And why?']],
    [
      'broken off while it looked at the repository',
      new Failure('repository', 'git was ended.', { cause: new Failure('worktree', 'git was ended.') }),
      ['And why?', 'And why?'],
    ],
    ['lost to a bug', new Error('a bug'), ['And why?', 'And why?']],
  ])('what is %s is asked so often in all', async (_, error, often) => {
    owner.type(thread, 'And why?')
    asks = () => Promise.reject(error)
    await aTalk().catchUp()
    asks = () => Promise.resolve()
    for (let starts = 0; starts < 2; starts += 1) await aTalk().catchUp()
    expect([goals(), made.size]).toEqual([often, often.length - 1])
    expect(thread.messages[1]?.content).toContain(error instanceof Failure ? error.message : 'went wrong')
  })

  it('what is no question that can be asked is noted as heard too', async () => {
    const { id } = owner.type(thread, 'And \0why?')
    await aTalk().catchUp()
    expect([goals(), book.find('d', aTaskId, 'heard')?.message]).toEqual([[], id])
  })

  it.each<Partial<Task>>([{ status: 'REJECTED', answer: null }, { delivery: 'discarded' }])(
    'what is written after one that is %j follows the last answered one up, also while nobody listens',
    async (over) => {
      const last = joins(1)
      joins(2, over)
      await aTalk().hear(dispatched(owner.type(thread, 'And why?')))
      owner.type(thread, 'And who?')
      await aTalk().catchUp()
      expect(asked.map(({ question, followUp }) => [question, followUp])).toEqual([
        ['And why?', last],
        ['And who?', last],
      ])
    },
  )
})
