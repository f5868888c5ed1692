import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { httpApp } from '../../../control-plane/http/app.ts'
import { problemSchema } from '../../../src/domain/answers.ts'
import { roles } from '../../../src/domain/caller.ts'
import type { TaskId } from '../../../src/domain/ids.ts'
import type { Input } from '../../../src/domain/input.ts'
import { taskRequestSchema } from '../../../src/domain/intake.ts'
import { usualRates } from '../../../src/domain/listen.ts'
import { reviewRequestSchema } from '../../../src/domain/review/review.ts'
import { scheduleRequestSchema } from '../../../src/domain/schedule/request.ts'
import { taskIdSchema } from '../../../src/domain/schemas.ts'
import { scopes, usualScopes } from '../../../src/domain/scopes.ts'
import { checkOf, type JsonSchema, type Schemas, valuesOf } from '../../support/json-schema.ts'
import { applies, ScriptedPlane } from '../../support/scripted-plane.ts'
import { aCommit, anOwner } from '../../support/task.ts'

const schemaSchema = z.record(z.string(), z.unknown())
const contentSchema = z.record(z.string(), z.object({ schema: schemaSchema }))
const operationSchema = z.object({
  operationId: z.string(),
  summary: z.string().min(1),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.enum(['path', 'query', 'header']),
        required: z.boolean(),
        schema: schemaSchema,
      }),
    )
    .default([]),
  requestBody: z.object({ required: z.boolean(), content: contentSchema }).optional(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  responses: z.record(
    z.string(),
    z.object({ description: z.string().min(1), content: contentSchema.optional() }),
  ),
})
const documentSchema = z.object({
  openapi: z.literal('3.1.0'),
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.object({ schemas: z.record(z.string(), schemaSchema) }),
})
type Operation = z.output<typeof operationSchema>
type Parameter = Operation['parameters'][number]

let folder: string
let plane: ScriptedPlane
let app: ReturnType<typeof httpApp>
/** The same over TCP. */
let guarded: ReturnType<typeof httpApp>
/** How callers come in: by the socket, or over TCP with this. */
const ways: (Readonly<Record<string, string>> | null)[] = [null]
const reported: unknown[] = []

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-document-'))
  plane = new ScriptedPlane(folder, applies)
  const report = (error: unknown): unknown => reported.push(error)
  app = httpApp(plane, { caller: () => anOwner, report })
  const door = { hosts: [], perMinute: usualRates, isSecure: false, address: () => 'here' }
  guarded = httpApp(plane, { door, report })
  for (const role of roles) {
    const wanted = { name: role, role, scopes: usualScopes[role], expiresAt: null }
    const { secret } = plane.access.createToken(wanted, anOwner)
    ways.push(
      { authorization: `Bearer ${secret}` },
      { authorization: `Bearer ${secret}`, host: 'evil.example' },
    )
  }
  ways.push({}, { authorization: 'Bearer cfd_none' })
})
afterAll(() => {
  plane[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** Tasks in states of all kinds, several of each, for acts to be possible on. */
async function makeTasks(): Promise<string[]> {
  const request = { goal: 'Mend the parser', repository: '/r/one' }
  const two = ['draft', 'pending', 'running', 'stopped', 'applied', 'merged', 'proposed']
  const states = [...two, ...two]
  const made = states.map(async (state) => {
    const asked = taskRequestSchema.parse({ ...request, draft: state === 'draft' })
    const { id } = (await plane.submit(asked, anOwner, null)).task
    if (state === 'running')
      plane.transitions.report(id, 0, { type: 'claimed', leaseUntil: Date.now() + 60_000 })
    if (['applied', 'merged', 'proposed'].includes(state)) apply(id)
    if (state === 'merged') {
      await plane.act(id, { act: 'merge', into: null, how: null, accept: [] }, anOwner, null)
      plane.attend(id)
    }
    if (state === 'applied')
      await plane.review(id, reviewRequestSchema.parse({ text: 'Shorter.' }), anOwner, null)
    if (state === 'proposed') {
      await plane.act(id, { act: 'pull-request', into: null, draft: null, accept: [] }, anOwner, null)
      plane.attend(id)
    }
    if (state === 'stopped') await plane.act(id, { act: 'stop', text: null }, anOwner, null)
    return id
  })
  return Promise.all(made)
}

/** What the loop reports of a task that is applied. */
function apply(id: TaskId): void {
  const inputs: readonly Input[] = [
    { type: 'claimed', leaseUntil: Date.now() + 60_000 },
    { type: 'advanced', phase: 'candidate', text: '' },
    { type: 'candidate_made', text: '' },
    { type: 'tested', text: '', priorFailure: null },
    {
      type: 'checkpointed',
      verdict: { kind: 'apply', outcome: 'tested' },
      head: aCommit,
      progress: { signature: '', repeats: 1 },
      marks: [],
    },
    { type: 'handed_over' },
  ]
  for (const input of inputs) plane.transitions.report(id, plane.task(id).fence, input)
}

/** One of each state that an act is possible or not possible in. */
async function makeLetters(): Promise<string[]> {
  await makeTasks()
  const [first, second, ...others] = plane.outbox.letters({ limit: 5 }).map(({ id }) => id)
  for (const id of [first, second]) if (id !== undefined) plane.outbox.act(id, 'discard', anOwner)
  return [first, second, ...others].filter((id) => id !== undefined)
}

const scheduleNames = ['nightly', 'hourly', 'weekly', 'rare']

/** Those that were removed meanwhile are made again. */
function makeSchedules(): void {
  const task = { goal: 'Mend the parser', repository: '/r/one' }
  for (const name of scheduleNames)
    plane.schedules.create(
      scheduleRequestSchema.parse({ name, every: '6h', task, enabled: plane.schedules.list().length === 0 }),
      anOwner,
    )
}

async function documented() {
  return documentSchema.parse(await (await app.request('/openapi.json')).json())
}

async function operations(): Promise<{ method: string; path: string; operation: Operation }[]> {
  const { paths } = await documented()
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  )
}

/** What is sent, and whether all of it is as the document says. */
interface Sent {
  readonly url: string
  readonly init: Omit<RequestInit, 'headers'> & { readonly headers: Readonly<Record<string, string>> }
  readonly proper: boolean
}

describe('the document', () => {
  it('has every route that there is, each with a name of its own', async () => {
    const said = (await operations()).map(({ method, path }) => `${method} ${path}`)
    const there = app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method.toLowerCase()} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
    expect(said.toSorted()).toEqual([...new Set(there)].toSorted())
    const names = (await operations()).map(({ operation }) => operation.operationId)
    expect(new Set(names).size).toBe(names.length)
  })

  it('refers to nothing that it does not have', async () => {
    const text = await (await app.request('/openapi.json')).text()
    const { components } = await documented()
    const referred = [...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, to]) => to)
    const known = Object.keys(components.schemas).map((name) => `#/components/schemas/${name}`)
    expect(referred.length).toBeGreaterThan(100)
    expect(known).toEqual(expect.arrayContaining(referred))
  })

  it.each(['merge', 'pull-request'])('says what the name of a branch is to %s', async (act) => {
    const { paths, components } = await documented()
    const body = paths[`/v1/tasks/{id}/${act}`]?.['post']?.requestBody?.content['application/json']
    const check = checkOf(body?.schema ?? {}, components.schemas)
    const takes = (into: string | null): boolean => check.safeParse({ into }).success
    expect([null, 'main', 'release/1.2'].map(takes)).toEqual([true, true, true])
    expect([' ', '', '-x', 'a..b', 'a.lock', 'HEAD', 'x'.repeat(201)].filter(takes)).toEqual([])
    const [id = ''] = await makeTasks()
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'if-match': '*' },
      body: '{"into":" "}',
    }
    const answer = await app.request(`/v1/tasks/${id}/${act}`, init)
    expect([answer.status, await answer.text()]).toEqual([
      400,
      expect.stringContaining('is no name of a branch'),
    ])
  })

  it('says of every answer what it is, whatever is sent', { timeout: 120_000 }, async () => {
    const { components } = await documented()
    const met = new Set<string>()
    for (const { method, path, operation } of await operations()) {
      const tasks = await makeTasks()
      plane.access.createToken(
        { name: tasks[0] ?? '', role: 'viewer', scopes: ['read'], expiresAt: null },
        anOwner,
      )
      const ids = path.startsWith('/v1/outbox/') ? await makeLetters() : tasks
      for (const { name } of plane.schedules.list()) plane.schedules.remove(name, anOwner, null)
      makeSchedules()
      const checks = new Map<string, z.ZodType>()
      const check = (name: string, schema: JsonSchema): z.ZodType => {
        const known = checks.get(name) ?? checkOf(schema, components.schemas)
        checks.set(name, known)
        return known
      }
      const property = fc.asyncProperty(
        requestOf(method, path, operation, components.schemas, ids),
        fc.constantFrom(...ways),
        async (sent, way) => {
          const answer = await (way === null
            ? app.request(sent.url, sent.init)
            : guarded.request(sent.url, { ...sent.init, headers: { ...sent.init.headers, ...way } }))
          const said = operation.responses[answer.status]
          expect(Object.keys(operation.responses)).toContain(String(answer.status))
          met.add(`${operation.operationId} ${answer.status}`)
          const type = answer.headers.get('content-type')?.split(';')[0] ?? ''
          if (said?.content === undefined) {
            expect(await answer.text()).toBe('')
          } else if (type === 'text/event-stream') {
            expect(Object.keys(said.content)).toContain(type)
            await answer.body?.cancel()
          } else {
            const text = await answer.text()
            expect(Object.keys(said.content)).toContain(type)
            const { schema = {} } = said.content[type] ?? {}
            const value: unknown = type === 'text/plain' ? text : JSON.parse(text)
            expect(check(`${answer.status} ${type}`, schema).safeParse(value).error).toBeUndefined()
          }
          if (sent.proper) expect(answer.status).not.toBe(400)
          expect(reported).toEqual([])
        },
      )
      await fc.assert(property, {
        numRuns: 60,
        examples: ids.map((id) => [actOn(id, method, path, operation), null]),
      })
    }
    const never = (await operations())
      .map(({ operation: { operationId } }) => operationId)
      .filter((name) => !['200', '201', '204'].some((status) => met.has(`${name} ${status}`)))
    expect(never).toEqual([])
  })

  it('says of every route that it refuses who brings no token, the wrong one, and too many', async () => {
    const once = { reads: 1, calls: 1, failures: 1000 }
    const door = { hosts: [], perMinute: once, isSecure: false, address: () => 'here' }
    const [viewer, owner] = ['late-viewer', 'late-owner'].map((name) => {
      const wanted = {
        name,
        role: 'owner',
        scopes: name === 'late-owner' ? scopes : [],
        expiresAt: null,
      } as const
      return { authorization: `Bearer ${plane.access.createToken(wanted, anOwner).secret}` }
    })
    for (const { method, path, operation } of await operations()) {
      const strict = httpApp(plane, { door, report: () => undefined })
      const asked = async (headers: Record<string, string> = {}): Promise<number> => {
        const answer = await strict.request(path.replace(/\{\w+\}/, 'aaaaaaaaaa'), { method, headers })
        const said = operation.responses[answer.status]
        expect(said?.description).not.toBe(undefined)
        if ([401, 403, 429].includes(answer.status)) problemSchema.parse(await answer.json())
        return answer.status
      }
      expect(await asked({ ...owner, host: 'evil.example' })).toBe(403)
      const open = operation.security.length === 0
      const first = open ? [200, 200] : [401, 403]
      expect([path, await asked(), await asked(viewer)]).toEqual([path, ...first])
      await asked(owner)
      expect(await asked(owner)).toBe(open ? 200 : 429)
    }
  })
})

/** What is possible on a task of some state, so that each act is met where it is done. */
function actOn(id: string, method: string, path: string, { requestBody }: Operation): Sent {
  const button = path.endsWith('/decisions') ? suggestButton(id) : {}
  const made = path === '/v1/schedules' ? { name: `made-${id}`, ...hourly } : hourly
  const ended = path.endsWith('/pull-ended') ? { as: 'merged' } : null
  const others: Readonly<Record<string, object>> = {
    '/v1/questions': question,
    // By chance alone one that has not expired is seldom made.
    '/v1/tokens': { name: `made-${id}`, role: 'viewer', scopes: ['read'], expiresAt: null },
  }
  const own = path.startsWith('/v1/schedules') ? made : (others[path] ?? ended)
  const words = JSON.stringify(own ?? { ...button, text: 'use ls' })
  const body = requestBody === undefined ? {} : { body: requestBody.required ? words : '{}' }
  const headers = { 'content-type': 'application/json', 'if-match': '*' }
  return {
    url: path
      .replace('{name}', scheduleNames[0] ?? '')
      .replace('{review}', () => String(plane.task(taskIdSchema.parse(id)).version))
      .replace(/\{\w+\}/, id),
    init: { method, headers, ...body },
    proper: false,
  }
}

const question = { question: 'Where is the parser?', repository: '/r/one' }
const hourly = { every: '6h', task: { goal: 'Mend the parser', repository: '/r/one' } }

/** Where a task offers none, one that is no button. */
function suggestButton(id: string): { id: string } {
  const offer = plane.decisions(taskIdSchema.parse(id), anOwner).offer
  return { id: offer?.choices.find(({ action }) => action === 'suggest')?.id ?? 'none' }
}

/** Requests to an operation: as the document has them, and some that are not. */
function requestOf(
  method: string,
  path: string,
  { operationId, parameters, requestBody }: Operation,
  schemas: Schemas,
  ids: readonly string[],
): fc.Arbitrary<Sent> {
  const written = (parameter: Parameter): fc.Arbitrary<string | undefined> => {
    const values = valuesOf(parameter.schema, schemas).map(String)
    if (parameter.in === 'path') {
      const there = parameter.name === 'name' ? scheduleNames : ids
      return fc.oneof({ arbitrary: fc.constantFrom(...there), weight: 8 }, values, noIds)
    }
    return parameter.required ? values : fc.option(values, { nil: undefined, freq: 2 })
  }
  // An address has no such parts.
  const noIds = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !['.', '..'].includes(text))
  const given = fc.tuple(
    ...parameters.map((parameter) => written(parameter).map((value) => ({ ...parameter, value }))),
  )
  const schema = requestBody?.content['application/json']?.schema
  const proper = (schema === undefined ? fc.constant(undefined) : valuesOf(schema, schemas)).map((value) => ({
    body: value === undefined ? undefined : JSON.stringify(value),
    fits: true,
  }))
  const odd = fc
    .oneof(fc.json(), fc.string(), fc.constant('{'))
    .map((body) => ({ body: schema === undefined ? undefined : body, fits: schema === undefined }))
  const bodies = fc.oneof({ arbitrary: proper, weight: 4 }, odd)
  return fc.tuple(given, bodies).map(([all, { body, fits }]) => {
    const found = all.filter(({ value }) => value !== undefined)
    const of = (place: Parameter['in']): [string, string][] =>
      found.filter((each) => each.in === place).map(({ name, value }) => [name, value ?? ''])
    const query = new URLSearchParams(of('query')).toString()
    const target = of('path').reduce(
      (text, [name, value]) => text.replace(`{${name}}`, encodeURIComponent(value)),
      path,
    )
    const latin = of('header').filter(([, value]) => /^[\x21-\x7e]*$/.test(value))
    const headers = { ...Object.fromEntries(latin), 'content-type': 'application/json' }
    // Rules that no schema can say are theirs: what a goal, a host or a pattern may be, which text is a cursor or a day, what goes together.
    const ruled = [
      'postTasks',
      'postQuestions',
      'postExplain',
      'postTokens',
      'postSchedules',
      'putSchedulesName',
    ].includes(operationId)
    const unsaid = found.some(({ name }) => ['cursor', 'since', 'until'].includes(name))
    return {
      url: `${target}${query === '' ? '' : `?${query}`}`,
      init: { method, headers, ...(body === undefined ? {} : { body }) },
      proper: fits && !ruled && !unsaid,
    }
  })
}
