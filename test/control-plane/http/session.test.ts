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
  const stream = { heartbeatMs: 20, stallMs: 1000, bufferBytes: 64 * 1024 }
  app = httpApp(plane, { door, report: () => undefined, stream })
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
    const { text, session } = access.signIn(token, null)
    now += sessionMs - 1
    expect(access.admitSession(text).caller.actor.id).toBe('ada')
    now += 1
    expect(() => access.admitSession(text)).toThrow('This session is over')
    expect(store.access.session(session.hash)).toEqual(session)
    access.signIn(token, null)
    expect(store.access.session(session.hash)).toBeNull()
  })

  it('ends when its browser signs in again, also with another token', async () => {
    const viewer = await cookie('viewer')
    await ask('GET', '/v1/session', viewer)
    const again = await ask('POST', '/v1/session', { ...bearer('owner'), ...viewer })
    expect(again.status).toBe(201)
    expect((await ask('GET', '/v1/session', viewer)).status).toBe(401)
  })

  it('is one of 20 of its token: the oldest of more ends, and those of other tokens stay', async () => {
    let now = 1_000_000
    const { store } = plane
    const access = openAccess({ store, clock: () => (now += 1), random: randomBytes })
    const made = (name: string) =>
      access.createToken({ name, role: 'viewer', scopes: usualScopes.viewer, expiresAt: null }, anOwner).token
    const other = access.signIn(made('grace'), null)
    const ada = made('ada')
    const all = Array.from({ length: 22 }, () => {
      const { text } = access.signIn(ada, null)
      access.admitSession(text)
      return text
    })
    const isIn = (text: string): boolean => store.access.session(sessionHash(text)) !== null
    expect(all.map(isIn)).toEqual(all.map((_, at) => at >= 2))
    // Also those that this process has read before.
    for (const ended of all.slice(0, 2))
      expect(() => access.admitSession(ended)).toThrow('This session is over')
    expect([all.slice(2).every((text) => access.admitSession(text)), isIn(other.text)]).toEqual([true, true])
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

describe('a stream ends, and tells nothing more, when', () => {
  /** All that is still told after `end`, where something secret happens at once. */
  async function toldAfter(headers: Headers, path: string, end: () => unknown): Promise<string> {
    const answer = await ask('GET', path, headers)
    expect(answer.status).toBe(200)
    const reader = answer.body?.getReader()
    await reader?.read()
    await end()
    await plane.submit(
      taskRequestSchema.parse({ goal: 'Use sudo for gold', repository: '/r' }),
      anOwner,
      null,
    )
    let text = ''
    for (;;) {
      const { done = true, value } = (await reader?.read()) ?? {}
      if (done) return text
      text += new TextDecoder().decode(value)
    }
  }
  const revoke = () => plane.access.revokeToken('viewer', anOwner)

  it('its token is revoked', async () => {
    expect(await toldAfter(bearer('viewer'), '/v1/changes', revoke)).not.toContain('gold')
  })

  it('the token of its session is', async () => {
    expect(await toldAfter(await cookie('viewer'), '/v1/changes', revoke)).not.toContain('gold')
  })

  it('its browser signs out', async () => {
    const session = await cookie('viewer')
    const out = () => ask('DELETE', '/v1/session', { ...session, ...own })
    expect(await toldAfter(session, '/v1/changes', out)).not.toContain('gold')
  })

  it('the token of one who looks at one task is revoked', async () => {
    const { task } = await draft()
    const act = { act: 'suggest', text: 'Dig for gold' } as const
    const end = async () => {
      revoke()
      await plane.act(task.id, act, anOwner, null)
    }
    const told = await toldAfter(bearer('viewer'), `/v1/tasks/${task.id}/stream?after=1`, end)
    expect(told).not.toContain('gold')
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
      dashboard: { code: '/none', looks: '/none', libraries: '/none' },
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
