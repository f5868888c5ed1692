import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { httpApp } from '../../../control-plane/http/app.ts'
import { problemSchema, searchAnswerSchema } from '../../../src/domain/answers.ts'
import { taskRequestSchema } from '../../../src/domain/intake.ts'
import type { SearchAnswer } from '../../../src/domain/search/search.ts'
import { applies, ScriptedPlane } from '../../support/scripted-plane.ts'
import { anOwner } from '../../support/task.ts'

let folder: string
let plane: ScriptedPlane
let app: Hono
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-http-search-'))
  plane = new ScriptedPlane(folder, applies)
  const report = (error: unknown): never => {
    throw error
  }
  app = httpApp(plane, { caller: () => anOwner, report })
})
afterEach(() => {
  plane[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

const submit = async (goal: string, repository = '/repositories/example'): Promise<string> =>
  (await plane.submit(taskRequestSchema.parse({ goal, repository }), anOwner, null)).task.id

async function search(parameters: Readonly<Record<string, string>>): Promise<SearchAnswer> {
  const answer = await app.request(`/v1/search?${new URLSearchParams(parameters).toString()}`)
  expect(answer.status).toBe(200)
  return searchAnswerSchema.parse(await answer.json())
}

describe('GET /v1/search', () => {
  it('finds tasks, and says where, with the hits as data', async () => {
    const id = await submit('Mend the <b>parser</b>')
    const { hits, more, behind } = await search({ q: 'parser' })
    expect([more, behind]).toEqual([false, 0])
    expect(hits).toEqual([
      {
        task: {
          id,
          kind: 'change',
          status: 'PENDING',
          outcome: null,
          phase: null,
          delivery: 'none',
          merge: null,
          pull: null,
          goal: 'Mend the <b>parser</b>',
          repository: { path: '/repositories/example', key: 'example' },
          branch: `cofferdam/${id}`,
          createdAt: expect.any(Number),
          updatedAt: expect.any(Number),
        },
        snippets: [
          {
            kind: 'goal',
            step: null,
            parts: [
              { text: 'Mend the <b>', hit: false },
              { text: 'parser', hit: true },
              { text: '</b>', hit: false },
            ],
          },
        ],
      },
    ])
  })

  it('is narrowed by repository, states and time, and limited', async () => {
    const first = await submit('mend one', '/r/one')
    const draft = await submit('mend with sudo', '/r/two')
    const ids = async (more: Readonly<Record<string, string>>) =>
      (await search({ q: 'mend', ...more })).hits.map(({ task }) => task.id)
    expect((await ids({})).toSorted()).toEqual([draft, first].toSorted())
    expect(await ids({ repository: '/r/one' })).toEqual([first])
    expect(await ids({ status: 'DRAFT,BLOCKED' })).toEqual([draft])
    expect(await ids({ since: '2100-01-01T00:00:00Z' })).toEqual([])
    expect(await ids({ until: '1000' })).toEqual([])
    expect(await ids({ since: '1000', limit: '1' })).toHaveLength(1)
  })

  it.each([{}, { q: '' }, { q: '"' }, { q: '*' }, { q: 'a\0b' }, { q: 'x'.repeat(10_000) }])(
    'B30 answers %.30j without an error',
    async (parameters) => {
      expect(await search(parameters)).toEqual({ hits: [], more: false, behind: 0 })
    },
  )

  it.each([
    ['status=DONE', '/status'],
    ['limit=0', '/limit'],
    ['limit=101', '/limit'],
    ['repository=an/example', '/repository'],
    ['since=yesterday', '/since'],
    ['query=x', 'query'],
  ])('refuses %s and says what is wrong', async (parameters, named) => {
    const answer = await app.request(`/v1/search?q=x&${parameters}`)
    const { code, detail } = problemSchema.parse(await answer.json())
    expect([answer.status, code]).toEqual([400, 'bad_request'])
    expect(detail).toContain(named)
  })
})
