import { createPublicKey } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { httpApp } from '../../../control-plane/http/app.ts'
import {
  attestationKeySchema,
  eventsSchema,
  problemSchema,
  repositoriesSchema,
  submittedSchema,
  tasksSchema,
} from '../../../src/domain/answers.ts'
import { Failure } from '../../../src/domain/failure.ts'
import { taskIdSchema, taskSchema } from '../../../src/domain/schemas.ts'
import { applies, ScriptedPlane } from '../../support/scripted-plane.ts'
import { anOwner, aPerson } from '../../support/task.ts'

let folder: string
let plane: ScriptedPlane
let app: ReturnType<typeof httpApp>
const reported: unknown[] = []
const requests: string[] = []
const report = (error: unknown, requestId: string): void => {
  reported.push(error)
  requests.push(requestId)
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-http-'))
  plane = new ScriptedPlane(folder, applies)
  reported.length = 0
  requests.length = 0
  app = httpApp(plane, { caller: () => anOwner, report })
})
afterEach(() => {
  plane[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

const goal = { goal: 'Make the tests pass', repository: '/repositories/example' }

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const all = { 'content-type': 'application/json', 'if-match': '*', ...headers }
  return Promise.resolve(app.request(path, { method: 'POST', headers: all, body: text }))
}

async function read<Schema extends z.ZodType>(answer: Response, schema: Schema): Promise<z.output<Schema>> {
  return schema.parse(await answer.json())
}

async function submitted(request: object = goal): Promise<string> {
  const answer = await post('/v1/tasks', request)
  return (await read(answer, submittedSchema)).task.id
}

describe('tasks over HTTP', () => {
  it('makes a task, says where it is, and shows it', async () => {
    const answer = await post('/v1/tasks', goal)
    expect(answer.status).toBe(201)
    const { task, notes } = await read(answer, submittedSchema)
    expect([task.status, notes.length]).toEqual(['PENDING', 1])
    expect(answer.headers.get('location')).toBe(`/v1/tasks/${task.id}`)
    const shown = await app.request(`/v1/tasks/${task.id}`)
    expect(await shown.json()).toEqual(task)
  })

  it('lists tasks by status, newest first', async () => {
    await submitted()
    const draft = await submitted({ ...goal, goal: 'sudo do it' })
    const list = async (query: string): Promise<string[]> => {
      const answer = await app.request(`/v1/tasks${query}`)
      return (await read(answer, tasksSchema)).tasks.map(({ id }) => id)
    }
    expect(await list('')).toHaveLength(2)
    expect(await list('?limit=1')).toHaveLength(1)
    expect(await list('?status=DRAFT,BLOCKED')).toEqual([draft])
    expect(await list('?status=APPLIED')).toEqual([])
  })

  it('lists page by page, what is made meanwhile in no page', async () => {
    const made: string[] = []
    for (let number = 0; number < 5; number += 1) made.push(await submitted())
    const order = plane.tasks({}).map(({ id }) => id)
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const more = cursor === null ? '' : `&cursor=${cursor}`
      const page: z.output<typeof tasksSchema> = await read(
        await app.request(`/v1/tasks?limit=2${more}`),
        tasksSchema,
      )
      seen.push(...page.tasks.map(({ id }) => id))
      cursor = page.next
      if (seen.length === 2) await submitted()
    } while (cursor !== null)
    expect(seen).toEqual(order)
    expect(seen.toSorted()).toEqual(made.toSorted())
  })

  it('lists by repository and time', async () => {
    const id = await submitted({ ...goal, repository: '/r/other' })
    await submitted()
    const list = async (query: string): Promise<string[]> =>
      (await read(await app.request(`/v1/tasks?${query}`), tasksSchema)).tasks.map((task) => task.id)
    expect(await list('repository=/r/other')).toEqual([id])
    expect(await list('repository=/r')).toEqual([])
    expect(await list('since=2100-01-01T00:00:00Z')).toEqual([])
    expect(await list('until=2100-01-01T00:00:00Z&repository=/r/other')).toEqual([id])
    const known = await read(await app.request('/v1/repositories'), repositoriesSchema)
    expect(known.repositories.map(({ path, tasks }) => [path, tasks])).toEqual([
      ['/r/other', 1],
      ['/repositories/example', 1],
    ])
    expect(await (await app.request('/v1/agents')).json()).toEqual({
      agents: [{ name: 'command', usual: true, answers: true }],
    })
  })

  it('is not shown again where it is known', async () => {
    const id = await submitted({ ...goal, draft: true })
    const known = async (tag: string): Promise<number> =>
      (await app.request(`/v1/tasks/${id}`, { headers: { 'if-none-match': tag } })).status
    expect(await Promise.all(['"1.1"', '"0.1", W/"1.1"', '*', '"1.2"', '"1"', ''].map(known))).toEqual([
      304, 304, 304, 200, 200, 200,
    ])
    await post(`/v1/tasks/${id}/stop`, {})
    expect(await known('"1.1"')).toBe(200)
  })

  it.each([
    ['approve', {}, 'PENDING'],
    ['approve', '', 'PENDING'],
    ['reject', { text: 'no' }, 'REJECTED'],
    ['suggest', { text: 'use ls' }, 'DRAFT'],
    ['stop', {}, 'STOPPED'],
  ])('an act is a sub-resource: %s %j', async (act, body, status) => {
    const id = await submitted({ ...goal, draft: true })
    const answer = await post(`/v1/tasks/${id}/${act}`, body)
    expect([answer.status, (await read(answer, taskSchema)).status]).toEqual([200, status])
    const events = await app.request(`/v1/tasks/${id}/events?after=1`)
    const list = await read(events, eventsSchema)
    expect(list.events.map(({ actor }) => actor)).toEqual([aPerson])
  })

  it('resumes with a larger budget', async () => {
    const id = await submitted()
    await post(`/v1/tasks/${id}/stop`, {})
    const answer = await post(`/v1/tasks/${id}/resume`, { instruction: 'go on', budget: { steps: 12 } })
    const task = await read(answer, taskSchema)
    expect([task.status, task.budget, task.instruction]).toEqual([
      'PENDING',
      { steps: 12, seconds: 1200, tokens: null, costUsd: null },
      'go on',
    ])
  })

  it('tells what it knows about a task', async () => {
    const id = await submitted()
    const get = async (path: string): Promise<[number, string]> => {
      const answer = await app.request(path)
      return [answer.status, await answer.text()]
    }
    expect(await get(`/v1/tasks/${id}/checkpoints`)).toEqual([200, '{"checkpoints":[]}'])
    expect(await get(`/v1/tasks/${id}/diff`)).toEqual([200, ''])
    expect((await get(`/v1/tasks/${id}/logs?step=2`))[1]).toContain('step 2')
    expect((await get('/v1/doctor'))[1]).toContain('scripted')
    expect((await get('/healthz'))[1]).toContain('ok')
    expect(await (await post('/v1/explain', goal)).json()).toMatchObject({ hidden: ['.env'] })
  })
})

describe('the evidence about a task over HTTP', () => {
  const row = {
    taskId: '',
    box: 'agent',
    id: 1,
    at: 1,
    kind: 'tunnel',
    host: 'example.test',
    port: 443,
    method: null,
    path: null,
    verdict: 'denied',
    rule: 'no rule',
    text: 'No rule names it.',
    address: null,
    bytesUp: null,
    bytesDown: null,
  } as const

  it('tells what boxes asked for, of all and of one', async () => {
    const taskId = taskIdSchema.parse(await submitted())
    const rows = [1, 2].map((id) => ({ ...row, taskId, id, at: id }))
    const other = { ...row, taskId, box: 'test', at: 3 }
    plane.store.recordEgress([...rows, other])
    const ask = async (query: string): Promise<unknown> =>
      (await app.request(`/v1/tasks/${taskId}/egress${query}`)).json()
    expect(await ask('')).toEqual({ egress: [...rows, other] })
    expect(await ask('?box=test')).toEqual({ egress: [other] })
    expect(await ask('?box=agent&limit=1')).toEqual({ egress: [rows[1]] })
  })

  it.each(['limit=0', 'limit=10001', 'limit=x', 'box=', 'boxes=agent'])('refuses ?%s', async (query) => {
    const answer = await app.request(`/v1/tasks/${await submitted()}/egress?${query}`)
    expect(answer.status).toBe(400)
  })

  it('verifies with the own key, or with those that are given', async () => {
    const asked: (readonly string[])[] = []
    plane[Symbol.dispose]()
    const verification = (keys: readonly string[]) => {
      asked.push(keys)
      return {}
    }
    plane = new ScriptedPlane(folder, applies, { verification })
    app = httpApp(plane, { caller: () => anOwner, report })
    const id = await submitted()
    const { pem } = await read(await app.request('/v1/attestation-key'), attestationKeySchema)
    const der = createPublicKey(pem).export({ type: 'spki', format: 'der' }).toString('base64url')
    for (const query of ['', `?key=${der}`, `?key=${der},${der}`]) {
      const answer = await app.request(`/v1/tasks/${id}/verification${query}`)
      expect([answer.status, await answer.json()]).toMatchObject([200, { task: id, holds: true }])
    }
    expect(asked).toEqual([[], [pem], [pem, pem]])
  })

  it('of a task that there is not is a 404', async () => {
    for (const path of ['egress', 'attestations', 'verification'])
      expect((await app.request(`/v1/tasks/aaaaaaaaaa/${path}`)).status).toBe(404)
  })
})

describe('a request', () => {
  it('has an id, its own where it brings one, in answers, problems and reports', async () => {
    const made = await app.request('/healthz')
    expect(made.headers.get('x-request-id')).toMatch(/^[\w-]{36}$/)
    const headers = { 'x-request-id': 'mine-1' }
    plane.doctor = () => Promise.reject(new TypeError('oops'))
    const answer = await app.request('/v1/doctor', { headers })
    expect(answer.headers.get('x-request-id')).toBe('mine-1')
    expect((await read(answer, problemSchema)).requestId).toBe('mine-1')
    expect(requests).toEqual(['mine-1'])
    const odd = await app.request('/healthz', { headers: { 'x-request-id': 'a b' } })
    expect(odd.headers.get('x-request-id')).not.toBe('a b')
  })
})

describe('a submission under a key', () => {
  const key = { 'idempotency-key': '6f2c' }

  it('is one task, however often it is sent', async () => {
    const first = await read(await post('/v1/tasks', goal, key), submittedSchema)
    const again = await post('/v1/tasks', goal, key)
    expect([again.status, await again.json()]).toEqual([201, first])
    expect(plane.tasks({})).toHaveLength(1)
    expect(await submitted()).not.toBe(first.task.id)
  })

  it('is not done twice at the same time', async () => {
    const submit = plane.submit.bind(plane)
    let go = (): void => undefined
    const gate = new Promise<void>((resolve) => {
      go = resolve
    })
    plane.submit = async (...args) => {
      await gate
      return submit(...args)
    }
    const first = post('/v1/tasks', goal, key)
    const second = await post('/v1/tasks', goal, key)
    expect([second.status, (await read(second, problemSchema)).detail]).toEqual([
      409,
      expect.stringContaining('under way'),
    ])
    go()
    expect((await first).status).toBe(201)
    expect((await post('/v1/tasks', goal, key)).status).toBe(201)
    expect(plane.tasks({})).toHaveLength(1)
  })

  it('is refused with another request, and where the key is none', async () => {
    await post('/v1/tasks', goal, key)
    const other = await post('/v1/tasks', { ...goal, goal: 'Another' }, key)
    expect([other.status, (await read(other, problemSchema)).detail]).toEqual([
      422,
      expect.stringContaining('another request'),
    ])
    for (const bad of ['', 'two words', 'x'.repeat(201)]) {
      expect((await post('/v1/tasks', goal, { 'idempotency-key': bad })).status).toBe(400)
    }
    expect(plane.tasks({})).toHaveLength(1)
  })
})

describe('an act that is bound to what was shown', () => {
  it('is done where the task is still that, and refused where it is not', async () => {
    const id = await submitted({ ...goal, draft: true })
    const shown = (await app.request(`/v1/tasks/${id}`)).headers.get('etag') ?? ''
    expect(shown).toBe('"1.1"')
    const suggested = await post(`/v1/tasks/${id}/suggest`, { text: 'use ls' }, { 'if-match': shown })
    expect([suggested.status, suggested.headers.get('etag')]).toEqual([200, '"2.2"'])
    const late = await post(`/v1/tasks/${id}/approve`, {}, { 'if-match': shown })
    const problem = await read(late, problemSchema)
    expect([late.status, problem.status, problem.code]).toEqual([412, 412, 'conflict'])
    expect([plane.tasks({})[0]?.status, plane.tasks({})[0]?.version]).toEqual(['DRAFT', 2])
    expect((await post(`/v1/tasks/${id}/approve`, {}, { 'if-match': '"2"' })).status).toBe(200)
  })

  it('is bound to nothing by "*", and wants the ETag as it was', async () => {
    const id = await submitted({ ...goal, draft: true })
    expect((await post(`/v1/tasks/${id}/approve`, {}, { 'if-match': 'W/"1"' })).status).toBe(400)
    expect((await post(`/v1/tasks/${id}/approve`, {}, { 'if-match': '*' })).status).toBe(200)
  })

  it('says what it was shown where it decides', async () => {
    const id = await submitted({ ...goal, draft: true })
    const bare = { method: 'POST', body: '{"text":"no"}', headers: { 'content-type': 'application/json' } }
    for (const act of ['approve', 'reject', 'suggest', 'discard']) {
      const body = act === 'approve' || act === 'discard' ? '{}' : bare.body
      const answer = await app.request(`/v1/tasks/${id}/${act}`, { ...bare, body })
      const { code, detail } = await read(answer, problemSchema)
      expect([answer.status, code]).toEqual([428, 'precondition_required'])
      expect(detail).toContain('If-Match: "1.1"')
    }
    expect(plane.tasks({})[0]?.version).toBe(1)
    expect((await app.request(`/v1/tasks/${id}/stop`, bare)).status).toBe(200)
  })

  it('says what is possible where the state is the matter', async () => {
    const id = await submitted()
    const answer = await post(`/v1/tasks/${id}/approve`, {}, { 'if-match': '"1"' })
    expect([answer.status, (await read(answer, problemSchema)).detail]).toEqual([
      409,
      expect.stringContaining('Possible now'),
    ])
  })
})

describe('every error is problem+json', () => {
  const unknown = 'aaaaaaaaaa'
  it.each([
    ['malformed JSON', 'POST', '/v1/tasks', '{', 400, 'bad_request'],
    ['a JSON value of another kind', 'POST', '/v1/tasks', '[]', 400, 'bad_request'],
    ['no body', 'POST', '/v1/tasks', '', 400, 'bad_request'],
    ['an unknown key', 'POST', '/v1/tasks', '{"goal":"x","repository":"/x","x":1}', 400, 'bad_request'],
    ['an empty goal', 'POST', '/v1/tasks', '{"goal":" ","repository":"/x"}', 400, 'bad_request'],
    [
      'a suggestion without words',
      'POST',
      `/v1/tasks/${unknown}/suggest`,
      '{"text":" "}',
      400,
      'bad_request',
    ],
    [
      'a negative budget',
      'POST',
      `/v1/tasks/${unknown}/resume`,
      '{"budget":{"steps":-1}}',
      400,
      'bad_request',
    ],
    ['a bad query', 'GET', '/v1/tasks?limit=0', '', 400, 'bad_request'],
    ['a cursor that is none', 'GET', '/v1/tasks?cursor=MTIzLm5vcGU', '', 400, 'bad_request'],
    ['a parameter twice', 'GET', '/v1/tasks?limit=1&limit=2', '', 400, 'bad_request'],
    ['a decision on nothing that was shown', 'POST', `/v1/tasks/${unknown}/approve`, '{}', 404, 'not_found'],
    ['a status that is none', 'GET', '/v1/tasks?status=DONE', '', 400, 'bad_request'],
    ['an id that is none', 'GET', '/v1/tasks/NOPE', '', 404, 'not_found'],
    ['an unknown task', 'GET', `/v1/tasks/${unknown}`, '', 404, 'not_found'],
    ['the stream of an unknown task', 'GET', `/v1/tasks/${unknown}/stream`, '', 404, 'not_found'],
    ['an unknown route', 'GET', '/v1/jobs', '', 404, 'not_found'],
    ['another method', 'PUT', '/v1/tasks', '{}', 405, 'method_not_allowed'],
    ['another method on an act', 'GET', `/v1/tasks/${unknown}/approve`, '', 405, 'method_not_allowed'],
    ['a body that is too large', 'POST', '/v1/tasks', 'x'.repeat(1024 * 1024 + 1), 413, 'payload_too_large'],
  ])('%s', async (_, method, path, body, status, code) => {
    const init =
      method === 'GET' ? { method } : { method, body, headers: { 'content-type': 'application/json' } }
    const answer = await app.request(path, init)
    const problem = await read(answer, problemSchema)
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
    expect([answer.status, problem.status, problem.code]).toEqual([status, status, code])
    expect([problem.title, problem.type, problem.detail]).not.toContain('')
    expect(reported).toEqual([])
  })

  it.each([
    ['/v1/tasks?limit=0', '/limit: takes a whole number from 1 to 1000.'],
    ['/v1/tasks?limit=x', '/limit: takes a whole number from 1 to 1000.'],
    [`/v1/tasks/${unknown}/logs?step=1.5`, '/step: takes the number of a step, such as 1.'],
  ])('says of %s what a number is to be', async (path, detail) => {
    expect(await read(await app.request(path), problemSchema)).toMatchObject({ status: 400, detail })
  })

  it('names the methods of a path that is called by another', async () => {
    const answer = await app.request('/v1/tasks', { method: 'DELETE' })
    expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(['GET', 'POST'])
  })

  it('wants JSON', async () => {
    expect((await post('/v1/tasks', goal, { 'content-type': 'text/plain' })).status).toBe(415)
    expect(
      (await post('/v1/tasks', goal, { 'content-type': 'application/json; charset=utf-8' })).status,
    ).toBe(201)
  })

  it('takes no body for an empty one, and no body of an unknown kind', async () => {
    const id = await submitted()
    const stop = async (init: RequestInit): Promise<number> =>
      (await app.request(`/v1/tasks/${id}/stop`, { method: 'POST', ...init })).status
    expect(await stop({ body: Buffer.from('{}') })).toBe(415)
    expect(await stop({ body: '{}', headers: { 'content-type': 'application/jsonx' } })).toBe(415)
    expect(await stop({})).toBe(200)
    expect((await app.request('/v1/tasks', { method: 'POST' })).status).toBe(400)
  })

  it('names each thing that is wrong, with a pointer to it', async () => {
    const answer = await post('/v1/tasks', { goal: 3, repository: 'rela/tive', budget: { steps: 0 } })
    const { errors = [], detail } = await read(answer, problemSchema)
    expect(errors.map(({ pointer }) => pointer)).toEqual(['/goal', '/repository', '/budget/steps'])
    expect(detail).toContain('The repository has to be an absolute path')
  })

  it('says what is possible instead when an act is not', async () => {
    const id = await submitted()
    const answer = await post(`/v1/tasks/${id}/approve`, {})
    const problem = await read(answer, problemSchema)
    expect([answer.status, problem.code]).toEqual([409, 'conflict'])
    expect(problem.detail).toContain('Possible now: stop, pause.')
  })

  it.each([
    [new Failure('engine', 'The engine is down.'), 503, 'engine', 0],
    [new Failure('disk', 'The disk is full.'), 507, 'disk', 0],
    [new Failure('repository', 'No repository.'), 422, 'repository', 0],
    [new TypeError('oops'), 500, 'bug', 1],
  ])('%s', async (failure, status, code, reports) => {
    plane.doctor = () => Promise.reject(failure)
    const answer = await app.request('/v1/doctor')
    expect([answer.status, (await read(answer, problemSchema)).code]).toEqual([status, code])
    expect(reported).toHaveLength(reports)
  })
})

describe('questions over HTTP', () => {
  const question = { question: 'Where is the parser?', repository: '/repositories/example' }

  it('makes a question once under a key, says where it is, and lists it by its kind', async () => {
    const first = await post('/v1/questions', question, { 'idempotency-key': 'k' })
    expect(first.status).toBe(201)
    const { task } = await read(first, submittedSchema)
    expect([task.kind, task.goal, first.headers.get('location')]).toEqual([
      'question',
      question.question,
      `/v1/tasks/${task.id}`,
    ])
    const again = await read(
      await post('/v1/questions', question, { 'idempotency-key': 'k' }),
      submittedSchema,
    )
    expect(again.task.id).toBe(task.id)
    expect(
      (await post('/v1/questions', { ...question, question: 'x' }, { 'idempotency-key': 'k' })).status,
    ).toBe(422)
    const change = await submitted()
    const list = async (query: string): Promise<readonly string[]> =>
      (await read(await app.request(`/v1/tasks?${query}`), tasksSchema)).tasks.map(({ id }) => id)
    expect(await list('kind=question')).toEqual([task.id])
    expect(await list('kind=change')).toEqual([change])
    expect(await list('kind=question&status=PENDING,DRAFT&repository=/repositories/example')).toEqual([
      task.id,
    ])
    expect(await list('kind=question&status=APPLIED')).toEqual([])
    expect((await app.request('/v1/tasks?kind=nonsense')).status).toBe(400)
  })

  it.each<[object, number, RegExp]>([
    [{ question: ' ', repository: '/r' }, 400, /The question is empty/],
    [{ question: 'Why?' }, 400, /The repository is missing/],
    [{ ...question, test: 'true' }, 400, /test/],
    [{ question: 'Why?', followUp: 'aaaaaaaaaa' }, 404, /There is no task aaaaaaaaaa/],
  ])('%j is refused with %i', async (body, status, detail) => {
    const answer = await post('/v1/questions', body)
    expect([answer.status, (await read(answer, problemSchema)).detail]).toEqual([
      status,
      expect.stringMatching(detail),
    ])
  })

  it('does not follow up what is no answered question', async () => {
    const answer = await post('/v1/questions', { question: 'Why?', followUp: await submitted() })
    expect([answer.status, (await read(answer, problemSchema)).detail]).toEqual([
      409,
      expect.stringMatching(/is no question/),
    ])
  })
})
