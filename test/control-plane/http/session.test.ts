import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openAccess } from '../../../control-plane/access.ts'
import { httpApp } from '../../../control-plane/http/app.ts'
import { actsSchema, countsSchema, daysSchema, sessionSchema } from '../../../src/domain/answers.ts'
import type { Role } from '../../../src/domain/caller.ts'
import { taskRequestSchema } from '../../../src/domain/intake.ts'
import { usualRates } from '../../../src/domain/listen.ts'
import { type Scope, usualScopes } from '../../../src/domain/scopes.ts'
import { sessionHash, sessionMs } from '../../../src/domain/session.ts'
import { taskSchema } from '../../../src/domain/schemas.ts'
import { applies, ScriptedPlane } from '../../support/scripted-plane.ts'
import { anOwner } from '../../support/task.ts'

let folder: string
let plane: ScriptedPlane
let app: ReturnType<typeof httpApp>
const door = { hosts: [], perMinute: usualRates, isSecure: false, address: () => 'here' }

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-session-'))
  plane = new ScriptedPlane(folder, applies)
  app = httpApp(plane, { door, report: () => undefined })
})
afterEach(() => {
  plane[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

type Headers = Readonly<Record<string, string>>
const ask = async (method: string, path: string, headers: Headers = {}): Promise<Response> =>
  app.request(path, { method, headers: { host: '127.0.0.1:1', ...headers } })

function bearer(role: Role, scopes: readonly Scope[] = usualScopes[role]): Headers {
  const { secret } = plane.access.createToken({ name: role, role, scopes, expiresAt: null }, anOwner)
  return { authorization: `Bearer ${secret}` }
}

/** The header of the cookie that a sign-in with this role comes to. */
async function cookie(role: Role, scopes?: readonly Scope[]): Promise<{ readonly cookie: string }> {
  const answer = await ask('POST', '/v1/session', bearer(role, scopes))
  expect(answer.status).toBe(201)
  return { cookie: (answer.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '' }
}

const own = { origin: 'http://127.0.0.1:1' }
const draft = () =>
  plane.submit(taskRequestSchema.parse({ goal: 'Use sudo', repository: '/r' }), anOwner, null)

describe('a session', () => {
  it('lets in as its token does, with the rights that it has now', async () => {
    const viewer = await cookie('viewer')
    const who = sessionSchema.parse(await (await ask('GET', '/v1/session', viewer)).json())
    expect(who).toEqual({ actor: { kind: 'token', id: 'viewer' }, role: 'viewer', may: [] })
    const { task } = await draft()
    expect((await ask('POST', `/v1/tasks/${task.id}/stop`, { ...viewer, ...own })).status).toBe(403)
    const owner = await cookie('owner')
    expect((await ask('POST', `/v1/tasks/${task.id}/stop`, { ...owner, ...own })).status).toBe(200)
  })

  it('is over when its token is revoked', async () => {
    const session = await cookie('owner')
    plane.access.revokeToken('owner', anOwner)
    expect((await ask('GET', '/v1/session', session)).status).toBe(401)
  })

  it('is over after 14 days, and then removed when another begins', () => {
    let now = 1_000_000
    const { store } = plane
    const access = openAccess({ store, clock: () => now, random: randomBytes })
    const wanted = { name: 'ada', role: 'owner', scopes: usualScopes.owner, expiresAt: null } as const
    const { token } = access.createToken(wanted, anOwner)
    const { text, session } = access.signIn(token)
    now += sessionMs - 1
    expect(access.admitSession(text).caller.actor.id).toBe('ada')
    now += 1
    expect(() => access.admitSession(text)).toThrow('This session is over')
    expect(store.access.session(session.hash)).toEqual(session)
    access.signIn(token)
    expect(store.access.session(session.hash)).toBeNull()
  })

  it('is not in the database, only its hash', async () => {
    const { cookie: text } = await cookie('owner')
    const [, secret = ''] = text.split('=')
    expect(plane.store.access.session(sessionHash(secret))).toMatchObject({ hash: sessionHash(secret) })
    expect(sessionHash(secret)).not.toContain(secret.slice(4))
  })

  it.each<[string, Headers, number]>([
    ['says nothing of where it comes from', {}, 403],
    ['comes from another origin', { origin: 'http://127.0.0.1:2' }, 403],
    ['comes from nowhere that has a name', { origin: 'null' }, 403],
    ['comes from the same site', { 'sec-fetch-site': 'same-site' }, 403],
    [
      'comes from here, as one header says and not the other',
      { ...own, 'sec-fetch-site': 'cross-site' },
      403,
    ],
    ['comes from a page of this server', own, 200],
    ['comes from here, as the browser says', { 'sec-fetch-site': 'same-origin' }, 200],
  ])('and a change that %s', async (_, headers, status) => {
    const { task } = await draft()
    const session = await cookie('owner')
    expect((await ask('POST', `/v1/tasks/${task.id}/stop`, { ...session, ...headers })).status).toBe(status)
    expect(plane.task(task.id).status).toBe(status === 200 ? 'STOPPED' : 'DRAFT')
  })

  it('counts for nothing beside a token that is no good', async () => {
    const session = await cookie('owner')
    expect((await ask('GET', '/v1/session', { ...session, authorization: 'Bearer cfd_no' })).status).toBe(401)
  })
})

describe('what somebody can do', () => {
  it.each<[Role, readonly Scope[] | undefined, readonly string[]]>([
    ['owner', undefined, ['approve', 'suggest', 'reject', 'stop']],
    ['owner', ['read'], []],
    ['operator', undefined, []],
    ['viewer', undefined, []],
  ])('with a draft of another as %s for %j', async (role, scopes, acts) => {
    const { task } = await draft()
    const answer = await ask('GET', `/v1/tasks/${task.id}/acts`, bearer(role, scopes))
    expect(actsSchema.parse(await answer.json()).acts).toEqual(acts)
  })

  it.each<[Role, readonly string[]]>([
    ['owner', ['start', 'run_schedule', 'change_schedule', 'act_on_letter']],
    ['operator', ['start', 'run_schedule']],
    ['viewer', []],
  ])('at all as %s', async (role, may) => {
    expect(sessionSchema.parse(await (await ask('GET', '/v1/session', bearer(role))).json()).may).toEqual(may)
  })
})

describe('all tasks together', () => {
  it('are counted by state', async () => {
    await draft()
    const answer = await ask('GET', '/v1/counts', bearer('viewer'))
    expect(countsSchema.parse(await answer.json()).counts).toMatchObject({ DRAFT: 1, PENDING: 0 })
  })

  it('are summed by day', async () => {
    await draft()
    const { days } = daysSchema.parse(await (await ask('GET', '/v1/days?days=3', bearer('viewer'))).json())
    expect(days.map(({ tasks }) => tasks)).toEqual([0, 0, 1])
    expect(days.at(-1)?.day).toBe(new Date().toISOString().slice(0, 10))
  })

  it('are told of as they change', async () => {
    const answer = await ask('GET', '/v1/changes', bearer('viewer'))
    if (answer.body === null) throw new Error('a stream has a body')
    const reader = answer.body.getReader()
    const decoder = new TextDecoder()
    const { task } = await draft()
    let text = ''
    while (!text.includes('event: task')) text += decoder.decode((await reader.read()).value)
    await reader.cancel()
    const data = /^data: (.*)$/m.exec(text)?.[1] ?? ''
    expect(taskSchema.parse(JSON.parse(data)).id).toBe(task.id)
  })
})

describe('a page', () => {
  const visit = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'cross-site' }
  const there = (): ReturnType<typeof httpApp> =>
    httpApp(plane, {
      door,
      dashboard: { code: '/none', domain: '/none', looks: '/none', libraries: '/none' },
      report: () => undefined,
    })

  it('is not where there is no dashboard', async () => {
    expect((await ask('GET', '/dashboard/')).status).toBe(404)
  })

  it.each<[string, Headers, number]>([
    ['a link elsewhere', visit, 302],
    ['a frame elsewhere', { ...visit, 'sec-fetch-dest': 'iframe' }, 403],
    ['a script elsewhere', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a name elsewhere', { host: 'evil.example' }, 403],
  ])('that is asked for by %s', async (_, headers, status) => {
    app = there()
    expect((await ask('GET', '/', headers)).status).toBe(status)
  })

  it('says what to do where it is not built, and takes no changes', async () => {
    app = there()
    const answer = await ask('GET', '/dashboard/')
    expect([answer.status, await answer.text()]).toEqual([502, expect.stringContaining('npm run build')])
    expect((await ask('POST', '/dashboard/')).status).toBe(405)
  })
})
