import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseTaskRequest } from '../../../src/domain/intake.ts'
import type { Task } from '../../../src/domain/task.ts'
import { sandboxImage } from '../../support/docker.ts'
import { openTestPlane, type TestPlane } from '../../support/plane.ts'
import { finish, run, turn } from '../../support/model/script.ts'
import { type Model, openModel } from '../../support/model/server.ts'
import { aRepository, git } from '../../support/repository.ts'

// The real Claude Code in a box, through the real gateway, against a scripted model.

const key = `sk-${randomBytes(24).toString('hex')}`

describe('Claude Code in a box', () => {
  let model: Model
  let plane: TestPlane

  beforeAll(async () => {
    await sandboxImage(['claude'])
    model = await openModel({
      script: ({ items, round }) => {
        const heard = (words: string): boolean =>
          items.some(({ by, text }) => by === 'user' && text.includes(words))
        if (heard('Ask first') && !heard('Use the word whole'))
          return finish('Which word?', 'BLOCKED\nBLOCK_REASON: Which word is it?')
        if (heard('Go on for ever')) return turn(run(`echo whole ${round} >answer.txt`))
        const isTold = heard('the answer was half') || heard('Use the word whole')
        const write = `echo ${isTold ? 'whole' : 'half'} >answer.txt`
        const look = 'cat /proc/*/environ /proc/*/cmdline >>answer.txt 2>/dev/null || true; env >>answer.txt'
        return round === 0 ? turn(run(`${write}; ${look}`)) : finish()
      },
    })
    process.env['TEST_MODEL_KEY'] = key
    plane = await openTestPlane(
      `upstreams: { anthropic: { key: { env: TEST_MODEL_KEY }, origin: '${model.origin}' } }`,
    )
  })
  afterAll(async () => {
    await plane.close()
    await model[Symbol.asyncDispose]()
    delete process.env['TEST_MODEL_KEY']
  })

  it('B17 B28 is told what failed, makes it right without the key, and is counted to the token', async () => {
    const { repo, task } = await submitted('Make check.sh pass')
    const done = await plane.settled(task.id)
    const events = (await plane.client.events(task.id, 0)).map(({ to, text }) => `${to} ${text}`).join('\n')
    expect([done.status, done.spent.steps, events]).toEqual(['APPLIED', 2, expect.any(String)])

    const answer = git(repo, 'show', `cofferdam/${task.id}:answer.txt`)
    expect(answer).toMatch(/^whole\n/)
    expect(answer).toContain('ANTHROPIC_API_KEY=placeholder')
    expect(`${answer}${events}${JSON.stringify(done)}`).not.toContain(key)
    const kept = spawnSync('grep', ['-rlaF', '-D', 'skip', key, plane.config.dataFolder, repo], {
      encoding: 'utf8',
    })
    expect([kept.status, kept.stdout]).toEqual([1, ''])
    expect(model.had.filter(({ headers }) => headers['x-api-key'] === key)).toHaveLength(model.had.length)
    const { inputTokens, outputTokens } = model.sums()
    expect(done.spent.tokens).toBe(inputTokens + outputTokens)
  })

  it('B13 asks, is told once, and goes on', async () => {
    const { repo, task } = await submitted('Ask first')
    const asking = await plane.settled(task.id)
    expect([asking.status, asking.halt?.text]).toEqual([
      'BLOCKED',
      expect.stringContaining('Which word is it?'),
    ])
    await plane.client.act(task.id, { act: 'resume', instruction: 'Use the word whole', budget: null })
    const done = await plane.settled(task.id)
    expect([done.status, git(repo, 'show', `cofferdam/${task.id}:answer.txt`)]).toEqual([
      'APPLIED',
      expect.stringMatching(/^whole\n/),
    ])
  })

  it('B29 is ended in the middle of a step where its tokens are used up', async () => {
    const before = model.had.length
    const { task } = await submitted('Go on for ever', { tokens: 150_000 })
    const done = await plane.settled(task.id)
    expect([done.status, done.halt?.reason]).toEqual(['TIMEOUT', 'tokens'])
    expect(model.had.length).toBeGreaterThan(before)
    expect(done.spent.tokens).toBeGreaterThan(0)
    expect(done.spent.tokens).toBeLessThanOrEqual(150_000)
    const [last] = (await plane.client.checkpoints(task.id)).toReversed()
    expect([last?.state, last?.candidate?.stat.files]).toEqual(['partial', 1])
  })

  async function submitted(goal: string, budget = {}): Promise<{ repo: string; task: Task }> {
    const repo = aRepository({
      'check.sh':
        'grep -q whole answer.txt && exit 0\necho "the answer was $(head -n 1 answer.txt)"; exit 1\n',
      'answer.txt': 'none\n',
    })
    const parsed = parseTaskRequest({
      goal,
      repository: repo,
      agent: { name: 'claude', argv: [] },
      test: 'sh check.sh',
      budget,
      policy: { upstreams: ['anthropic'] },
    })
    if (!parsed.ok) throw new Error(parsed.problems.join(' '))
    const { task } = await plane.client.submit(parsed.request)
    if (task.status === 'DRAFT') await plane.client.act(task.id, { act: 'approve' })
    return { repo, task }
  }
})
