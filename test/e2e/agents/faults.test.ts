import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ImageAgent, imageAgents } from '../../../src/domain/image.ts'
import { parseTaskRequest } from '../../../src/domain/intake.ts'
import type { Task } from '../../../src/domain/task.ts'
import { sandboxImage } from '../../support/docker.ts'
import { type Conversation, type Fault, finish, run, say, turn } from '../../support/model/script.ts'
import { type Model, openModel } from '../../support/model/server.ts'
import { openTestPlane, type TestPlane } from '../../support/plane.ts'
import { aRepository } from '../../support/repository.ts'

// What goes wrong with a model, with each agent's real program in a box, through the real gateway, several at once.

let model: Model
let plane: TestPlane

/** What is wrong with the answer to each call of a task, which is told by a word of its goal. */
const plans: Readonly<Record<string, (call: number) => Fault | null | undefined>> = {
  stumbles: (call) =>
    (
      [
        { kind: 'content type', type: 'text/html' },
        { kind: 'malformed call' },
        { kind: 'overload' },
        { kind: 'slow', eventMs: 20 },
      ] as const
    )[call],
  hurries: (call) =>
    (
      [
        { kind: 'malformed call' },
        { kind: 'slow', eventMs: 20 },
        { kind: 'rate limit', retryAfter: 1 },
        { kind: 'content type', type: 'text/html' },
      ] as const
    )[call],
  breaks: () => ({ kind: 'truncated' }),
  refuses: () => ({ kind: 'rate limit', retryAfter: 0.05 }),
}

/** So many calls each task made, by its goal. */
const calls = new Map<string, number>()
const goalIn = ({ items }: Conversation): string =>
  /Goal of \w+ that \w+/.exec(items.map(({ text }) => text).join('\n'))?.[0] ?? ''
function faultOf(talk: Conversation): Fault | null {
  const goal = goalIn(talk)
  const call = calls.get(goal) ?? 0
  calls.set(goal, call + 1)
  return plans[goal.split(' ').at(-1) ?? '']?.(call) ?? null
}

beforeAll(async () => {
  for (const name of imageAgents) await sandboxImage([name])
  model = await openModel({
    script: ({ tools, items }) => {
      if (tools.length === 0) return turn(say('A title'))
      const results = items.filter(({ by }) => by === 'result').length
      return results < 3 ? turn(run('echo whole >answer.txt')) : finish()
    },
    fault: (_, talk) => faultOf(talk),
  })
  process.env['TEST_MODEL_KEY'] = 'sk-of-the-test'
  const at = `{ key: { env: TEST_MODEL_KEY }, origin: '${model.origin}' }`
  plane = await openTestPlane(
    [
      `upstreams: { anthropic: ${at}, openai: ${at}, gemini: ${at}, openai-compatible: ${at} }`,
      'agents: { opencode: { upstream: openai-compatible, model: m-1 }, codex: { model: gpt-5.1-codex } }',
    ].join('\n'),
  )
})
afterAll(async () => {
  await plane.close()
  await model[Symbol.asyncDispose]()
  delete process.env['TEST_MODEL_KEY']
})

async function submitted(goal: string): Promise<Task> {
  const parsed = parseTaskRequest({
    goal: `${goal}: make it whole`,
    repository: aRepository({ 'answer.txt': 'none\n' }),
    agent: { name: goal.split(' ')[2], argv: [] },
    test: 'grep -q whole answer.txt',
  })
  if (!parsed.ok) throw new Error(parsed.problems.join(' '))
  return (await plane.client.submit(parsed.request)).task
}

describe.concurrent('an agent', () => {
  async function doesItsWork(name: ImageAgent, what: string): Promise<void> {
    const goal = `Goal of ${name} that ${what}`
    const { id } = await submitted(goal)
    const done = await plane.settled(id)
    const events = await plane.client.events(id, 0)
    expect([done.status, done.spent.steps, done.losses, events.map(({ text }) => text)]).toEqual([
      'APPLIED',
      1,
      0,
      expect.not.arrayContaining([expect.stringContaining('failed')]),
    ])
    // One for each fault, and those after them.
    expect(calls.get(goal)).toBeGreaterThanOrEqual(5)
  }
  const title = '%s does its work in one step with a model that %s'
  it.each<[ImageAgent, string]>([
    ['claude', 'stumbles'],
    ['codex', 'hurries'],
  ])(title, doesItsWork)
  // That these programs try a call again themselves is as with the two above.
  it.each<[ImageAgent, string]>([
    ['opencode', 'stumbles'],
    ['gemini', 'hurries'],
    ['pi', 'hurries'],
  ])(title, { tags: ['long'] }, doesItsWork)

  async function isTriedAgain(name: ImageAgent, what: string, says: RegExp): Promise<void> {
    const { id } = await submitted(`Goal of ${name} that ${what}`)
    await plane.until(id, ({ losses, status }) => losses > 0 || status !== 'PENDING')
    await plane.until(id, ({ losses, status }) => losses > 0 || !['RUNNING', 'PENDING'].includes(status))
    const lost = (await plane.client.events(id, 0)).find(({ type }) => type === 'lost')
    expect(lost?.text).toMatch(says)
    expect(lost?.text).toMatch(/It is tried again in 15 seconds\.$/)
    await plane.client.act(id, { act: 'stop', text: null })
    expect((await plane.settled(id)).spent.steps).toBe(0)
  }
  const later = '%s is given another try later with a model that %s'
  it.each<[ImageAgent, string, RegExp]>([
    ['claude', 'breaks', /^The provider anthropic is overloaded or down\. Claude Code says: .*closed/],
  ])(later, isTriedAgain)
  // What these say is read in test/agents, and that a box is ended whose calls are turned away is walked in test/e2e/gateway.test.ts.
  it.each<[ImageAgent, string, RegExp]>([
    ['codex', 'breaks', /^The provider openai is overloaded or down\. Codex says: stream disconnected/],
    // It would go on for as long as it runs.
    ['opencode', 'refuses', /^The provider openai-compatible limits the rate of calls\. It turned 6 calls/],
  ])(later, { tags: ['long'] }, isTriedAgain)
})
