import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { httpApp } from '../../../control-plane/http/app.ts'
import type { Seen } from '../../../control-plane/http/witness.ts'
import {
  auditPageSchema,
  newTokenSchema,
  problemSchema,
  submittedSchema,
} from '../../../src/domain/answers.ts'
import type { Role } from '../../../src/domain/caller.ts'
import { usualRates } from '../../../src/domain/listen.ts'
import { type Scope, usualScopes } from '../../../src/domain/scopes.ts'
import { tokenHash, tokenText } from '../../../src/domain/token.ts'
import { applies, ScriptedPlane } from '../../support/scripted-plane.ts'
import { anOwner } from '../../support/task.ts'

let folder: string
let plane: ScriptedPlane
let app: ReturnType<typeof httpApp>
let address = 'here'
const seen: Seen[] = []

function guarded(perMinute = usualRates, isSecure = false): void {
  const door = { hosts: ['cofferdam.example.com'], perMinute, isSecure, address: () => address }
  app = httpApp(plane, { door, report: () => undefined, seen: (each) => seen.push(each) })
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-door-'))
  plane = new ScriptedPlane(folder, applies)
  address = 'here'
  seen.length = 0
  guarded()
})
afterEach(() => {
  plane[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

let made = 0
/** The text of a new token. */
function token(
  role: Role,
  scopes: readonly Scope[] = usualScopes[role],
  expiresAt: number | null = null,
): string {
  return plane.access.createToken({ name: `${role}-${++made}`, role, scopes, expiresAt }, anOwner).secret
}

/** The text of one as it may be on record from an older version, which did not ask what its role can use. */
function writtenToken(role: Role, scopes: readonly Scope[]): string {
  const { id, text } = tokenText(randomBytes(42))
  const times = { createdAt: Date.now(), expiresAt: null, revokedAt: null, lastUsedAt: null }
  const kept = { id, name: `written-${++made}`, role, scopes, createdBy: anOwner.actor, ...times }
  expect(plane.store.access.addToken({ ...kept, hash: tokenHash(text) })).toBe(true)
  return text
}

const bearer = (text: string) => ({ authorization: `Bearer ${text}` })
const get = async (path: string, headers: Record<string, string>) => app.request(path, { headers })
const goal = JSON.stringify({ goal: 'Mend it', repository: '/r' })

function post(path: string, headers: Record<string, string>, body = '{}') {
  const all = { 'content-type': 'application/json', 'if-match': '*', ...headers }
  return Promise.resolve(app.request(path, { method: 'POST', headers: all, body }))
}

const detailOf = async (answer: Response): Promise<string> => problemSchema.parse(await answer.json()).detail

describe('a token', () => {
  it('is asked for where there is none, and told of where it is no good', async () => {
    const none = await get('/v1/tasks', {})
    expect([none.status, none.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="cofferdam"'])
    const wrong = await get('/v1/tasks', bearer(`cfd_${'a'.repeat(10)}_${'b'.repeat(32)}`))
    expect(wrong.headers.get('www-authenticate')).toContain('error="invalid_token"')
    expect(await detailOf(wrong)).toMatch(/^This token is not known here/)
  })

  it('lets its bearer in, and says when it was used', async () => {
    const text = token('viewer')
    expect((await get('/v1/tasks', bearer(text))).status).toBe(200)
    expect(plane.access.tokens(anOwner)[0]?.lastUsedAt).toBeGreaterThan(0)
  })

  it('is good for nothing with another secret, when it has expired and when it is revoked', async () => {
    const text = token('owner')
    const other = text.slice(0, -1) + (text.endsWith('a') ? 'b' : 'a')
    expect((await get('/v1/tasks', bearer(other))).status).toBe(401)
    const late = token('owner', ['read'], Date.now() + 30)
    await new Promise((resolve) => void setTimeout(resolve, 40))
    expect(await detailOf(await get('/v1/tasks', bearer(late)))).toMatch(/has expired/)
    plane.access.revokeToken(plane.access.tokens(anOwner).at(-1)?.id ?? '', anOwner)
    expect(await detailOf(await get('/v1/tasks', bearer(text)))).toMatch(/is revoked/)
  })

  it('is nowhere in the database, only its hash', () => {
    const text = token('owner')
    const kept = JSON.stringify(plane.store.access.tokens())
    expect(kept).toMatch(/"hash":"[0-9a-f]{64}"/)
    expect(kept).not.toContain(text.split('_')[2])
  })

  it.each<[Role, readonly Scope[], string]>([
    ['viewer', ['read', 'create'], 'can use read, and not create'],
    ['operator', ['admin', 'read'], 'can use read, create, decide, and not admin'],
  ])('of the role %s is not made for %j', async (role, wanted, says) => {
    const body = JSON.stringify({ name: 'ci', role, scopes: wanted, expiresAt: null })
    const answer = await post('/v1/tokens', bearer(token('owner')), body)
    expect(answer.status).toBe(400)
    expect(await detailOf(answer)).toContain(says)
    expect(plane.store.access.tokens()).toHaveLength(1)
  })

  it('is made over HTTP with its secret in that answer alone', async () => {
    const admin = bearer(token('owner'))
    const answer = await post('/v1/tokens', admin, '{"name":"ci","role":"operator","expiresAt":null}')
    const { token: ci, secret } = newTokenSchema.parse(await answer.json())
    expect([answer.status, ci.scopes]).toEqual([201, ['read', 'create', 'decide']])
    expect(await (await get('/v1/tokens', admin)).text()).not.toContain(secret)
    const again = await post('/v1/tokens', admin, '{"name":"ci","role":"viewer","expiresAt":null}')
    expect(again.status).toBe(409)
    const gone = await app.request('/v1/tokens/ci', { method: 'DELETE', headers: admin })
    expect(gone.status).toBe(200)
    expect((await get('/v1/tasks', bearer(secret))).status).toBe(401)
  })
})

describe('what a token is for', () => {
  it.each<[string, Role, readonly Scope[], string, string, number]>([
    ['looks', 'viewer', ['read'], 'GET', '/v1/tasks', 200],
    ['does not start', 'viewer', ['read'], 'POST', '/v1/tasks', 403],
    ['starts', 'operator', ['create'], 'POST', '/v1/tasks', 201],
    ['starts and does not look', 'operator', ['create'], 'GET', '/v1/tasks', 403],
    ['has no say in tokens', 'operator', ['read', 'create', 'decide', 'admin'], 'GET', '/v1/tokens', 403],
    ['has no look at the log', 'operator', ['read', 'create', 'decide', 'admin'], 'GET', '/v1/audit', 403],
    ['has explained what it may start', 'operator', ['create'], 'POST', '/v1/explain', 200],
    ['has nothing explained that it may not start', 'viewer', ['create'], 'POST', '/v1/explain', 403],
    ['of an owner may be for less', 'owner', ['read'], 'GET', '/v1/tokens', 403],
    ['sees the log', 'owner', ['admin'], 'GET', '/v1/audit', 200],
  ])('B24 %s', async (_name, role, scopes, method, path, status) => {
    const headers = bearer(writtenToken(role, scopes))
    const answer = method === 'GET' ? await get(path, headers) : await post(path, headers, goal)
    expect(answer.status).toBe(status)
  })

  it('needs none for what says how the service is', async () => {
    for (const path of ['/healthz', '/readyz', '/openapi.json'])
      expect((await get(path, {})).status).toBe(200)
    expect((await get('/metrics', {})).status).toBe(401)
  })
})

describe('web pages', () => {
  it.each<[string, Record<string, string>, number]>([
    ['a name that leads here', { host: 'evil.example' }, 403],
    ['a name that begins like ours', { host: 'localhost.evil.example' }, 403],
    ['a name of ours', { host: 'cofferdam.example.com:8443' }, 200],
    ['localhost', { host: 'localhost:7878' }, 200],
    ['an address', { host: '[::1]:7878' }, 200],
    ['another origin', { host: 'localhost', origin: 'https://evil.example' }, 403],
    ['an origin that is hidden', { host: 'localhost', origin: 'null' }, 403],
    ['another port', { host: 'localhost:1', origin: 'http://localhost:2' }, 403],
    ['the same origin', { host: 'localhost:1', origin: 'http://localhost:1' }, 200],
    ['another site', { host: 'localhost', 'sec-fetch-site': 'cross-site' }, 403],
    ['the same site', { host: 'localhost', 'sec-fetch-site': 'same-site' }, 403],
    ['a person', { host: 'localhost', 'sec-fetch-site': 'none' }, 200],
  ])('%s', async (_name, headers, status) => {
    expect((await get('/v1/tasks', { ...bearer(token('viewer')), ...headers })).status).toBe(status)
    expect((await get('/healthz', headers)).status).toBe(status)
  })

  // A proxy may end TLS though nobody has said so: then the server does not know by which scheme its pages come.
  it.each([
    [true, 'https', 200],
    [true, 'http', 403],
    [false, 'https', 200],
    [false, 'http', 200],
  ])('of the same host, where browsers come over TLS is %s, by %s', async (isSecure, scheme, status) => {
    guarded(usualRates, isSecure)
    const host = 'cofferdam.example.com'
    expect((await get('/healthz', { host, origin: `${scheme}://${host}` })).status).toBe(status)
  })
})

describe('a token that makes another', () => {
  const make = (mine: Record<string, string>, wanted: object) =>
    post(
      '/v1/tokens',
      mine,
      JSON.stringify({ name: `made-${++made}`, role: 'owner', expiresAt: null, ...wanted }),
    )

  it('hands on no more than it is for itself', async () => {
    const admin = bearer(token('owner', ['admin']))
    for (const wanted of [{}, { scopes: ['admin', 'decide'] }]) {
      const answer = await make(admin, wanted)
      expect(answer.status).toBe(403)
      expect(await detailOf(answer)).toMatch(
        /is for admin, and can make no token for .*decide: name fewer scopes/,
      )
    }
    expect((await make(admin, { scopes: ['admin'] })).status).toBe(201)
    expect((await make(bearer(token('owner')), {})).status).toBe(201)
  })
})

describe('too much', () => {
  it('of one token is told with when to come again, and is no matter of another', async () => {
    guarded({ ...usualRates, calls: 2 })
    const [mine, other] = [bearer(token('operator')), bearer(token('operator'))]
    const statuses: number[] = []
    for (let call = 0; call < 4; call++) statuses.push((await post('/v1/tasks', mine, goal)).status)
    expect(statuses).toEqual([201, 201, 429, 429])
    const late = await post('/v1/tasks', mine, goal)
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await detailOf(late)).toMatch(/More than 2 requests in a minute by this token/)
    expect((await get('/v1/tasks', mine)).status).toBe(200)
    expect((await post('/v1/tasks', other, goal)).status).toBe(201)
    // The refusals of one minute are one row.
    expect(plane.access.audit({ limit: 10, outcome: 'refused' }, anOwner)).toHaveLength(1)
  })

  it('of one address without a good token keeps nobody out who has one', async () => {
    guarded({ ...usualRates, failures: 2 })
    const guess = () => get('/v1/tasks', bearer('cfd_no'))
    const statuses = [(await guess()).status, (await guess()).status, (await guess()).status]
    expect(statuses).toEqual([401, 401, 429])
    expect((await get('/v1/tasks', bearer(token('viewer')))).status).toBe(200)
    address = 'elsewhere'
    expect((await guess()).status).toBe(401)
  })
})

describe('the audit log', () => {
  it('B24 has a row of each control call, also of those that are refused, and none of a look', async () => {
    const mine = bearer(token('operator'))
    const { task } = submittedSchema.parse(await (await post('/v1/tasks', mine, goal)).json())
    await get(`/v1/tasks/${task.id}`, mine)
    await post(`/v1/tasks/${task.id}/stop`, bearer(token('viewer')))
    await post(`/v1/tasks/${task.id}/pause`, {}, '{}')
    await post(`/v1/tasks/${task.id}/approve`, mine)
    const admin = bearer(token('owner'))
    const page = auditPageSchema.parse(await (await get('/v1/audit?limit=3', admin)).json())
    const rest = auditPageSchema.parse(await (await get(`/v1/audit?cursor=${page.next}`, admin)).json())
    const rows = [...page.rows, ...rest.rows]
    expect(rest.next).toBeNull()
    expect(rows.map(({ actor, action, outcome }) => [actor?.id.split('-')[0], action, outcome])).toEqual([
      ['operator', 'POST /v1/tasks/{id}/approve', 'refused'],
      [undefined, 'POST /v1/tasks/{id}/pause', 'refused'],
      ['viewer', 'POST /v1/tasks/{id}/stop', 'refused'],
      ['operator', 'POST /v1/tasks', 'allowed'],
    ])
    expect(new Set(rows.map(({ taskId }) => taskId))).toEqual(new Set([task.id]))
    expect(
      rows.every(
        ({ requestId, outcome, text }) => requestId !== '' && (text === '') === (outcome === 'allowed'),
      ),
    ).toBe(true)
  })
})

describe('what is seen', () => {
  it('is a line for each request, with routes as the document has them', async () => {
    await get('/v1/tasks/aaaaaaaaaa?x=1', bearer(token('viewer')))
    await get('/nowhere/at/all', bearer(token('viewer')))
    expect(seen.map(({ method, route, status }) => [method, route, status])).toEqual([
      ['GET', '/v1/tasks/{id}', 404],
      ['GET', 'unknown', 404],
    ])
    expect(seen[0]?.actor?.kind).toBe('token')
  })
})
