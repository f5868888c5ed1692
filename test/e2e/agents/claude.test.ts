import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseTaskRequest } from '../../../src/domain/intake.ts'
import { openTestPlane, type TestPlane } from '../../support/plane.ts'
import { finish, run, turn } from '../../support/model/script.ts'
import { type Model, openModel } from '../../support/model/server.ts'
import { aRepository, git } from '../../support/repository.ts'

// The real Claude Code in a box, through the real gateway, against a scripted model. No build makes an image with it yet,
// so this runs only where COFFERDAM_TEST_CLAUDE_IMAGE names one: docs/operating.md says how to make it.

const image = process.env['COFFERDAM_TEST_CLAUDE_IMAGE']
const key = `sk-${randomBytes(24).toString('hex')}`

describe.skipIf(image === undefined)('Claude Code in a box', () => {
  let model: Model
  let plane: TestPlane

  beforeAll(async () => {
    model = await openModel({
      script: ({ items, round }) => {
        const isTold = items.some(({ by, text }) => by === 'user' && text.includes('the answer was half'))
        const write = `echo ${isTold ? 'whole' : 'half'} >answer.txt`
        const look = 'cat /proc/*/environ /proc/*/cmdline >>answer.txt 2>/dev/null || true; env >>answer.txt'
        return round === 0 ? turn(run(`${write}; ${look}`)) : finish()
      },
    })
    process.env['TEST_MODEL_KEY'] = key
    plane = await openTestPlane(
      [
        `engine: { image: '${String(image)}' }`,
        `upstreams: { anthropic: { key: { env: TEST_MODEL_KEY }, origin: '${model.origin}' } }`,
      ].join('\n'),
    )
  })
  afterAll(async () => {
    await plane.close()
    await model[Symbol.asyncDispose]()
    delete process.env['TEST_MODEL_KEY']
  })

  it('B17 B28 is told what failed, makes it right without the key, and is counted to the token', async () => {
    const repo = aRepository({
      'check.sh':
        'grep -q whole answer.txt && exit 0\necho "the answer was $(head -n 1 answer.txt)"; exit 1\n',
      'answer.txt': 'none\n',
    })
    const parsed = parseTaskRequest({
      goal: 'Make check.sh pass',
      repository: repo,
      agent: { name: 'claude', argv: [] },
      test: 'sh check.sh',
      policy: { upstreams: ['anthropic'] },
    })
    if (!parsed.ok) throw new Error(parsed.problems.join(' '))
    const { task } = await plane.client.submit(parsed.request)
    if (task.status === 'DRAFT') await plane.client.act(task.id, { act: 'approve' })
    const done = await plane.settled(task.id)
    const events = (await plane.client.events(task.id, 0)).map(({ to, text }) => `${to} ${text}`).join('\n')
    expect([done.status, done.spent.steps, events]).toEqual(['APPLIED', 2, expect.any(String)])

    const answer = git(repo, 'show', `cofferdam/${task.id}:answer.txt`)
    expect(answer).toMatch(/^whole\n/)
    expect(answer).toContain('ANTHROPIC_API_KEY=placeholder')
    expect(`${answer}${events}${JSON.stringify(done)}`).not.toContain(key)
    expect(model.had.filter(({ headers }) => headers['x-api-key'] === key)).toHaveLength(model.had.length)
    const { inputTokens, outputTokens } = model.sums()
    expect(done.spent.tokens).toBe(inputTokens + outputTokens)
  })
})
