import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { httpApp } from '../../../control-plane/http/app.ts'
import { letterSchema, lettersSchema, problemSchema } from '../../../src/domain/answers.ts'
import type { Caller } from '../../../src/domain/caller.ts'
import type { Letter } from '../../../src/domain/outbox/letter.ts'
import { present } from '../../contract/store/bench.ts'
import { upTo, writeTasks } from '../../support/letters.ts'
import { applies, ScriptedPlane } from '../../support/scripted-plane.ts'
import { anOperator, anOwner, aPerson, aTaskIdOf, aTime, aViewer } from '../../support/task.ts'

const here = 'webhook:scripted'
let folder: string
let plane: ScriptedPlane
let app: ReturnType<typeof httpApp>
let caller: Caller

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-http-outbox-'))
  plane = new ScriptedPlane(folder, applies)
  caller = anOwner
  app = httpApp(plane, { caller: () => caller, report: () => undefined })
  writeTasks(plane.store, [here, 'webhook:old'], upTo(3))
})
afterEach(() => {
  plane[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

const list = async (query = '') => lettersSchema.parse(await (await app.request(`/v1/outbox${query}`)).json())
const bodies = async (query: string) =>
  (await list(query)).letters.map(({ body, destination }) => body + destination.slice(8, 9))
const post = async (id: string, act: string) =>
  await app.request(`/v1/outbox/${id}/${act}`, { method: 'POST' })
const refused = async (answer: Response) => {
  const { status, detail } = problemSchema.parse(await answer.json())
  return [status, detail]
}

/** The first letter to a destination, when it was given up. */
function dead(destination: string): Letter {
  const letter = present(plane.store.outbox.claim(destination, aTime, 1000))
  const after = { ...letter, state: 'dead', error: 'The receiver answered 500.', leaseUntil: null } as const
  plane.store.outbox.move(letter, after)
  return after
}

describe('the outbox over HTTP', () => {
  it('is listed newest first, narrowed, and page by page', async () => {
    expect(await bodies('')).toEqual(['3o', '3s', '2o', '2s', '1o', '1s'])
    expect(await bodies(`?destination=${here}`)).toEqual(['3s', '2s', '1s'])
    expect(await bodies(`?task=${aTaskIdOf(2)}`)).toEqual(['2o', '2s'])
    dead(here)
    expect(await bodies('?state=dead,sent')).toEqual(['1s'])
    const first = await list('?limit=4')
    expect(await bodies(`?limit=4&cursor=${first.next}`)).toEqual(['1o', '1s'])
    expect((await list(`?limit=4&cursor=${first.next}`)).next).toBeNull()
  })

  it.each(['?state=lost', '?limit=0', '?cursor=x', '?task=x', '?other=1'])('refuses %s', async (query) => {
    expect((await app.request(`/v1/outbox${query}`)).status).toBe(400)
  })

  it('shows a letter with what is sent and why it was not taken', async () => {
    const letter = dead(here)
    const shown = letterSchema.parse(await (await app.request(`/v1/outbox/${letter.id}`)).json())
    expect(shown).toEqual(letter)
  })

  it.each(['msg_aaaaaaaaaaaaaaaaaaaa', 'nothing'])('has no letter %s', async (id) => {
    expect(await refused(await app.request(`/v1/outbox/${id}`))).toEqual([
      404,
      expect.stringContaining(`There is no letter ${id}`),
    ])
    expect((await post(id, 'retry')).status).toBe(404)
  })

  it('has a dead letter tried again in its old place, and keeps who said so', async () => {
    const { id } = dead(here)
    expect(letterSchema.parse(await (await post(id, 'retry')).json())).toMatchObject({
      id,
      state: 'waiting',
      attempts: 0,
      actor: aPerson,
      error: 'The receiver answered 500.',
    })
    expect(plane.store.outbox.claim(here, Date.now(), 1000)?.id).toBe(id)
    expect(await refused(await post(id, 'discard'))).toEqual([409, expect.stringContaining('being sent')])
  })

  it('gives one up, so that those behind it go on', async () => {
    const first = (await list(`?destination=${here}`)).letters.at(-1)
    const answer = await post(first?.id ?? '', 'discard')
    expect(letterSchema.parse(await answer.json())).toMatchObject({ state: 'discarded', actor: aPerson })
    expect(plane.store.outbox.claim(here, Date.now(), 1000)?.body).toBe('2')
  })

  it('does not try one again that nobody would send', async () => {
    const { id } = dead('webhook:old')
    expect(await refused(await post(id, 'retry'))).toEqual([
      409,
      'No destination webhook:old is configured: put it back into the configuration, or discard the letter.',
    ])
    expect((await post(id, 'discard')).status).toBe(200)
  })

  it.each([
    ['operator', anOperator],
    ['viewer', aViewer],
  ])('B24 is looked at by a %s, and changed by owners alone', async (_name, who) => {
    const letter = dead(here)
    caller = who
    expect((await list()).letters).toHaveLength(6)
    for (const act of ['retry', 'discard']) {
      expect(await refused(await post(letter.id, act))).toEqual([
        403,
        expect.stringContaining(`may not ${act} a letter: an owner can do that.`),
      ])
    }
    expect(plane.store.outbox.letter(letter.id)).toEqual(letter)
  })
})
