import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { httpApp } from '../../../control-plane/http/app.ts'
import { problemSchema } from '../../../src/domain/answers.ts'
import type { Caller } from '../../../src/domain/caller.ts'
import { occurrencesSchema, ranSchema, scheduleDetailSchema } from '../../../src/domain/schedule/answers.ts'
import { applies, ScriptedPlane } from '../../support/scripted-plane.ts'
import { anOperator, anOwner, aViewer } from '../../support/task.ts'

let folder: string
let plane: ScriptedPlane
let app: ReturnType<typeof httpApp>
let caller: Caller

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-http-schedules-'))
  plane = new ScriptedPlane(folder, applies)
  caller = anOwner
  app = httpApp(plane, { caller: () => caller, report: () => undefined })
})
afterEach(() => {
  plane[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

const nightly = {
  name: 'nightly',
  cron: '30 2 * * *',
  timezone: 'Europe/Berlin',
  task: { goal: 'Mend it', repository: '/r' },
}

async function call(method: string, path: string, body?: object, headers: Record<string, string> = {}) {
  const json = body === undefined ? {} : { 'content-type': 'application/json' }
  return await app.request(`/v1/schedules${path}`, {
    method,
    headers: { ...json, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}
const make = async (body: object = nightly) => await call('POST', '', body)
const detailOf = async (answer: Response) => problemSchema.parse(await answer.json()).detail

describe('a schedule over HTTP', () => {
  it('is made once, however often it is asked for, shown, changed as it was seen, and removed', async () => {
    const made = await make()
    expect([made.status, made.headers.get('location'), made.headers.get('etag')]).toEqual([
      201,
      '/v1/schedules/nightly',
      '"1"',
    ])
    expect((await make()).status).toBe(201)
    expect((await make({ ...nightly, cron: '0 3 * * *' })).status).toBe(409)
    const { name: _, ...all } = { ...nightly, cron: '0 3 * * *' }
    const stale = await call('PUT', '/nightly', all, { 'if-match': '"7"' })
    expect(stale.status).toBe(412)
    const changed = await call('PUT', '/nightly', all, { 'if-match': '"1"' })
    expect([changed.status, changed.headers.get('etag')]).toEqual([200, '"2"'])
    const shown = scheduleDetailSchema.parse(await (await call('GET', '/nightly')).json())
    expect(shown.timing).toEqual({ kind: 'cron', cron: '0 3 * * *', timezone: 'Europe/Berlin' })
    expect((await call('DELETE', '/nightly', undefined, { 'if-match': '"2"' })).status).toBe(204)
    const gone = await call('GET', '/nightly')
    expect([gone.status, await detailOf(gone)]).toEqual([
      404,
      expect.stringMatching(/^There is no schedule nightly/),
    ])
    expect((await make()).headers.get('etag')).toBe('"4"')
    expect((await call('DELETE', '/nightly', undefined, { 'if-match': '"2"' })).status).toBe(412)
  })

  it('that makes drafts alone says so in each answer about it, and makes none for that', async () => {
    const { name: _, ...all } = { ...nightly, task: { ...nightly.task, goal: 'Run sudo' } }
    const answers = [
      await make({ ...nightly, ...all }),
      await call('GET', '/nightly'),
      await call('PUT', '/nightly', all, { 'if-match': '*' }),
      await call('POST', '/nightly/enable'),
    ]
    for (const answer of answers)
      expect(scheduleDetailSchema.parse(await answer.json()).hindrance).toMatch(/waits as a DRAFT/)
    const rests = await call('POST', '/nightly/disable')
    expect(scheduleDetailSchema.parse(await rests.json())).toMatchObject({ enabled: false, hindrance: null })
    const mended = await call('PUT', '/nightly', { ...all, task: nightly.task }, { 'if-match': '*' })
    expect(scheduleDetailSchema.parse(await mended.json()).hindrance).toBeNull()
    expect(plane.tasks({})).toEqual([])
  })

  it('makes one task for each key that a run is asked for under, also while it is disabled', async () => {
    await make({ ...nightly, enabled: false })
    const run = async (key: string) =>
      ranSchema.parse(
        await (await call('POST', '/nightly/run', undefined, { 'idempotency-key': key })).json(),
      )
    const [one, again, other] = [await run('a'), await run('a'), await run('b')]
    expect(one.task.id).toBe(again.task.id)
    expect(one.task.id).not.toBe(other.task.id)
    const { occurrences } = occurrencesSchema.parse(await (await call('GET', '/nightly/occurrences')).json())
    expect(occurrences.map(({ task, state }) => [task, state])).toEqual([
      [other.task.id, 'made'],
      [one.task.id, 'made'],
    ])
  })

  it('rests and runs again', async () => {
    await make()
    const nextAt = async (path: string) =>
      scheduleDetailSchema.parse(await (await call('POST', `/nightly/${path}`)).json()).nextAt
    expect(await nextAt('disable')).toBeNull()
    expect(await nextAt('enable')).toBeGreaterThan(Date.now())
  })

  it.each([
    ['two ways to say when', { every: '6h' }, /cron.*every|every.*cron/],
    ['no such day', { cron: '0 0 31 2 *' }, /no day|no time|31 2/],
    ['no such zone', { timezone: 'Europe/Nowhere' }, /Nowhere/],
    ['no name', { name: 'Not A Name' }, /The name of a schedule is made of/],
    ['an approval in advance', { autoApprove: true }, /autoApprove\W+is taken from cofferdam\.yaml alone/],
    ['no goal', { task: { repository: '/r' } }, /The goal is missing/],
  ])('with %s is refused in a sentence, and not made', async (_, wrong, sentence) => {
    const answer = await make({ ...nightly, ...wrong })
    expect([400, 422]).toContain(answer.status)
    expect(JSON.stringify(await answer.json())).toMatch(sentence)
    expect(plane.schedules.list()).toEqual([])
  })

  it('is the owners’; an operator may have it run, a viewer may look', async () => {
    await make()
    const statuses = async (as: Caller): Promise<readonly number[]> => {
      caller = as
      const { name: _, ...all } = nightly
      const answers = [
        await call('GET', '/nightly'),
        await call('POST', '/nightly/run'),
        await make({ ...nightly, name: 'other' }),
        await call('PUT', '/nightly', all, { 'if-match': '*' }),
        await call('POST', '/nightly/disable'),
        await call('DELETE', '/nightly', undefined, { 'if-match': '*' }),
      ]
      return answers.map(({ status }) => status)
    }
    expect(await statuses(aViewer)).toEqual([200, 403, 403, 403, 403, 403])
    expect(await statuses(anOperator)).toEqual([200, 201, 403, 403, 403, 403])
    expect(plane.schedules.list().map(({ name, enabled }) => [name, enabled])).toEqual([['nightly', true]])
  })
})
