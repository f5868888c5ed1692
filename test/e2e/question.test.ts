import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentsSchema } from '../../src/domain/answers.ts'
import { parseQuestionRequest } from '../../src/domain/question/request.ts'
import type { Submitted } from '../../src/domain/submitted.ts'
import type { Task } from '../../src/domain/task.ts'
import { openTestPlane, sh, type TestPlane } from '../support/plane.ts'
import { aRepository, git } from '../support/repository.ts'

// The real engine and git; the agent is a program.

const answerer = sh(`
  if grep -q 'split' /cofferdam/attempt/prompt.md; then printf 'It is token-\\033[0m0123456789\\007abcdef.'; exit; fi
  if grep -q 'sleeps' /cofferdam/attempt/prompt.md; then sleep 60; fi
  echo "prompt: $(grep -c '^| Question: ' /cofferdam/attempt/prompt.md) before"
  echo "a.txt: $(cat a.txt)"; git log --oneline | wc -l; echo x 2>/dev/null >b.txt || echo "nothing written"`)

let plane: TestPlane
let repo: string
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-question-'))
  writeFileSync(join(folder, 'token'), 'token-0123456789abcdef')
  plane = await openTestPlane(
    `ask: { agent: { name: command, argv: ${JSON.stringify(answerer)} } }
secrets: { deploy: { file: ${JSON.stringify(join(folder, 'token'))} } }\n`,
  )
  repo = aRepository({ 'a.txt': 'the letter a\n', '.env': 'KEY=1\n', 'config.yaml': 'a: 1\n' })
})
afterAll(async () => {
  await plane.close()
  rmSync(folder, { recursive: true })
})

async function submitted(input: object): Promise<Submitted> {
  const parsed = parseQuestionRequest(input)
  if (!parsed.ok) throw new Error(parsed.problems.join(' '))
  return plane.client.ask(parsed.request)
}
async function asked(input: object): Promise<Task> {
  return plane.settled((await submitted(input)).task.id)
}
const words = { question: 'What is in a.txt?' }

describe('a question about a repository', () => {
  it('is answered in a box that writes nothing, is on record, found by question and answer, and listed by its kind', async () => {
    const before = git(repo, 'status', '--porcelain=v2', '--branch')
    const { task: born, notes } = await submitted({ ...words, repository: repo })
    expect([born.kind, born.status, born.budget.steps, notes.join(' ')]).toEqual([
      'question',
      'PENDING',
      1,
      expect.not.stringContaining('untested'),
    ])
    const task = await plane.settled(born.id)
    expect([task.status, task.answer]).toEqual([
      'APPLIED',
      'prompt: 0 before\na.txt: the letter a\n1\nnothing written',
    ])
    expect(git(repo, 'status', '--porcelain=v2', '--branch')).toBe(before)
    expect(git(repo, 'branch', '--list', 'cofferdam*')).toBe('')
    expect(await plane.client.verify(task.id, [])).toMatchObject({ holds: true, notes: [] })
    await expect(plane.client.diff(task.id, null)).rejects.toThrow(/is a question, which changes nothing/)

    const change = await plane.run({ repo, argv: sh('echo b >a.txt') })
    const ids = async (kind: Task['kind']): Promise<readonly string[]> =>
      (await plane.client.tasks({ kind, repository: repo })).map(({ id }) => id)
    expect([await ids('question'), await ids('change')]).toEqual([[task.id], [change.id]])
    const found = async (text: string) =>
      (await plane.client.search({ text })).hits.map((hit) => [hit.task.id, hit.task.kind])
    expect(await found('"in a.txt"')).toEqual([[task.id, 'question']])
    expect(await found('"nothing written"')).toEqual([[task.id, 'question']])
  })

  it('is followed up, is told what was said before, and about the same ref', async () => {
    const first = await asked({ ...words, repository: repo, ref: 'main' })
    const second = await asked({ question: 'And now?', followUp: first.id })
    expect([second.parentTaskId, second.base.ref, second.answer]).toEqual([
      first.id,
      'main',
      expect.stringContaining('prompt: 1 before'),
    ])
    const third = await asked({ question: 'And then?', followUp: second.id })
    expect(third.answer).toContain('prompt: 2 before')
    await expect(
      submitted({ question: 'What?', followUp: (await plane.run({ repo, argv: sh('echo c >c') })).id }),
    ).rejects.toThrow(/is no question/)
  })

  it('B28 has no known secret in its answer, also one that the agent wrote with something unseen in it', async () => {
    const task = await asked({ question: 'What was split?', repository: repo })
    expect([task.status, task.answer]).toEqual(['APPLIED', 'It is [redacted:deploy].'])
  })

  it('B03 passes the same gate, waits for approval, and is answered then', async () => {
    const { task } = await submitted({ question: 'Run pip install requests and tell me', repository: repo })
    expect([task.status, task.risks.map(({ text }) => text).join(' ')]).toEqual([
      'DRAFT',
      expect.stringContaining('pip install'),
    ])
    await plane.client.act(task.id, { act: 'approve' })
    expect((await plane.settled(task.id)).status).toBe('APPLIED')
  })

  it('B09 stopped in the middle it is gone at once, and resumed it is asked again', async () => {
    const { task } = await submitted({ question: 'Who sleeps?', repository: repo })
    await plane.until(task.id, ({ phase, step }) => phase === 'agent' && step === 1)
    await plane.client.act(task.id, { act: 'stop', text: null })
    const stopped = await plane.settled(task.id)
    expect([stopped.status, stopped.answer]).toEqual(['STOPPED', null])
    await expect(submitted({ question: 'And?', followUp: task.id })).rejects.toThrow(/has no answer yet/)
    await expect(plane.client.act(task.id, { act: 'steer', text: 'x' })).rejects.toThrow(/question/)
    expect(await plane.client.verify(task.id, [])).toMatchObject({ holds: true })
  })
})

describe('without an agent that can answer', () => {
  it('says what is missing, and a program that works on tasks is not asked', async () => {
    const works = `repositories: { ${JSON.stringify(repo)}: { agent: { name: command, argv: [prettier] } } }\n`
    const bare = await openTestPlane(works)
    try {
      const parsed = parseQuestionRequest({ ...words, repository: repo })
      if (!parsed.ok) throw new Error(parsed.problems.join(' '))
      await expect(bare.client.ask(parsed.request)).rejects.toThrow(
        /^No agent that can answer is configured: name one of .*claude.*, or put one with a model into cofferdam\.yaml, such as ask: /,
      )
      const named = { ...parsed.request, agent: { name: 'claude', argv: [] } }
      await expect(bare.client.ask(named)).rejects.toThrow(/ANTHROPIC_API_KEY/)
    } finally {
      await bare.close()
    }
  })
})

it('is answered by whom the list of agents names for it, not by whom it names for tasks', async () => {
  const { agents } = agentsSchema.parse(await (await plane.get('/v1/agents')).json())
  expect(agents.filter(({ usual, answers }) => usual || answers)).toEqual([
    { name: 'command', usual: false, answers: true },
  ])
})
