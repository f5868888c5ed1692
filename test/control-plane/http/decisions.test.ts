import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { httpApp } from '../../../control-plane/http/app.ts'
import { decisionsSchema, problemSchema, submittedSchema } from '../../../src/domain/answers.ts'
import type { Caller } from '../../../src/domain/caller.ts'
import { taskSchema } from '../../../src/domain/schemas.ts'
import { applies, ScriptedPlane } from '../../support/scripted-plane.ts'
import { anOwner, aPerson, aViewer } from '../../support/task.ts'
import { until } from '../../support/until.ts'

let folder: string
let plane: ScriptedPlane
let app: ReturnType<typeof httpApp>
let caller: Caller
let path: string

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-http-decisions-'))
  plane = new ScriptedPlane(folder, applies)
  caller = anOwner
  app = httpApp(plane, { caller: () => caller, report: () => undefined })
  const made = await post('/v1/tasks', { goal: 'sudo do it', repository: '/r/one' })
  path = `/v1/tasks/${submittedSchema.parse(await made.json()).task.id}/decisions`
})
afterEach(() => {
  plane[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

function post(to: string, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return Promise.resolve(app.request(to, { method: 'POST', headers, body: JSON.stringify(body) }))
}

const decisions = async () => decisionsSchema.parse(await (await app.request(path)).json())
const buttons = async () =>
  Object.fromEntries(((await decisions()).offer?.choices ?? []).map(({ action, id }) => [action, id]))
const problem = async (answer: Response) => problemSchema.parse(await answer.json())

describe('decisions over HTTP', () => {
  it('offer a button for each action, and say afterwards who decided what', async () => {
    const { approve, reject, suggest } = await buttons()
    expect([approve, reject, suggest]).toEqual(
      ['approve', 'reject', 'suggest'].map((action) =>
        expect.stringMatching(`^tdec:[a-z2-7]{10}:${action}:[\\w-]{8}$`),
      ),
    )
    const answer = await post(path, { id: reject, text: 'Too risky.' })
    expect(answer.status).toBe(200)
    expect(taskSchema.parse(await answer.json()).status).toBe('REJECTED')
    expect(await decisions()).toMatchObject({
      status: 'REJECTED',
      offer: null,
      last: { action: 'reject', by: aPerson, text: 'Too risky.' },
    })
  })

  it('say what each way to deliver comes to that is configured, to those who may', async () => {
    const waysOf = async (repository: string): Promise<readonly unknown[]> => {
      const made = await post('/v1/tasks', { goal: 'Do it', repository })
      const { id } = submittedSchema.parse(await made.json()).task
      plane.attend(id)
      await until(() => plane.task(id).status === 'APPLIED')
      path = `/v1/tasks/${id}/decisions`
      const { merge, pull } = await decisions()
      return [merge, pull]
    }
    const main = expect.objectContaining({ into: 'main' })
    expect(await waysOf('/r/one')).toEqual([main, main])
    expect(await waysOf('/r/alone')).toEqual([main, null])
    // The configured one has the button, and the other is as it is configured all the same.
    expect(await waysOf('/r/proposing')).toEqual([
      expect.objectContaining({ into: 'release', how: 'squash' }),
      expect.objectContaining({ into: 'release', draft: true }),
    ])
    expect(Object.keys(await buttons())).toEqual(['pull-request', 'discard'])
    caller = aViewer
    expect(await decisions()).toMatchObject({ merge: null, pull: null })
  })

  it('B10 approve and reject sent at once: one is done, the other is told who decided', async () => {
    const { approve, reject } = await buttons()
    const answers = await Promise.all([post(path, { id: approve }), post(path, { id: reject })])
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]))
    const late = answers.find(({ status }) => status === 409)
    expect(late && (await problem(late)).detail).toContain('has decided already (')
  })

  it('B24 are refused to a viewer, who is offered nothing', async () => {
    const { approve } = await buttons()
    caller = aViewer
    expect((await decisions()).offer).toBeNull()
    expect((await post(path, { id: approve })).status).toBe(403)
    caller = anOwner
    expect(await buttons()).toMatchObject({ approve })
  })

  it.each([
    [{}, 400],
    [{ id: 'tdec' }, 404],
    [{ id: 'x'.repeat(101) }, 400],
    [{ id: 'tdec', also: 1 }, 400],
  ])('with %j are refused: %i', async (body, status) => {
    expect((await post(path, body)).status).toBe(status)
  })

  it('that were guessed too often are a 429 that says when, and for nobody else', async () => {
    const { approve } = await buttons()
    const guess = approve?.replace(/.{8}$/, 'AAAAAAAA')
    for (let wrong = 0; wrong < 5; wrong += 1) expect((await post(path, { id: guess })).status).toBe(404)
    const answer = await post(path, { id: approve })
    expect([answer.status, Number(answer.headers.get('retry-after'))]).toEqual([429, expect.closeTo(60, -1)])
    expect(await problem(answer)).toMatchObject({
      code: 'too_many',
      detail: expect.stringContaining('Too many buttons that are none: try again in') as unknown,
    })
    caller = { actor: { kind: 'local', id: 'ines' }, role: 'owner' }
    expect((await post(path, { id: approve })).status).toBe(200)
  })

  it('of no task are a 404', async () => {
    expect((await app.request('/v1/tasks/aaaaaaaaab/decisions')).status).toBe(404)
    expect((await post('/v1/tasks/aaaaaaaaab/decisions', { id: 'tdec' })).status).toBe(404)
  })
})
