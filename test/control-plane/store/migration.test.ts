import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../../../control-plane/store/database.ts'
import { migrations } from '../../../control-plane/store/migrations.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import { policyHash } from '../../../src/domain/policies.ts'
import { birth, change } from '../../support/change.ts'
import { madeOlder } from '../../support/older-format.ts'
import { aPolicy, aPull, aTask, aTaskId, aTaskIdOf } from '../../support/task.ts'
import { searchLab } from '../search/lab.ts'
import { agentBox, failure, formatOne, policyThen, setupBox } from './format-1.ts'
import { type Home, makeHome } from './home.ts'

let home: Home
beforeEach(() => {
  home = makeHome()
})
afterEach(() => home[Symbol.dispose]())

describe('a database of format 1', () => {
  it('becomes one of format 6, with its documents', () => {
    formatOne(home.file)
    using store = openStore(home.file)
    const task = store.task(aTaskId)
    expect(task).toMatchObject({
      status: 'RUNNING',
      budget: { steps: 8, seconds: 1200, tokens: null, costUsd: null },
      spent: { steps: 2, ms: 3000, tokens: 0, costUsd: 0 },
      priorFailure: failure,
      marks: null,
      kind: 'change',
      answer: null,
    })
    // Whatever engine it ran on, it goes on there.
    expect(task?.policy).toEqual(aPolicy({ posture: 'degraded' }))
    expect(store.task(aTaskIdOf(1))?.policy).toEqual(task?.policy)
    const { upMb, downMb } = aPolicy().limits
    const limits = { ...agentBox.limits, upMb, downMb }
    expect(store.checkpoints(aTaskId)).toMatchObject([
      {
        step: 0,
        boxes: [],
        charged: 42,
        box: { ...setupBox, egress: null, limits: { ...setupBox.limits, upMb, downMb } },
      },
      { step: 1, boxes: [], charged: 42, box: { ...agentBox, limits } },
    ])
    expect(JSON.stringify(store.checkpoints(aTaskId))).not.toContain('"network"')
  })

  it('has the hashes of its policies as they are now, so that a task that goes on can be attested', () => {
    formatOne(home.file)
    using store = openStore(home.file)
    const task = store.task(aTaskId)
    expect(task?.policyHash).toBe(policyHash(aPolicy({ posture: 'degraded' })))
  })

  it('has nothing attested and no egress, and takes both', () => {
    formatOne(home.file)
    using store = openStore(home.file)
    expect([store.attestations(aTaskId), store.egressLog(aTaskId, null, 10)]).toEqual([[], []])
    const { task, checkpoints } = store.record(aTaskId)
    expect([Object.keys(task ?? {}).includes('spent_tokens'), checkpoints.length]).toEqual([true, 2])
    const before = store.task(aTaskId)
    if (before === null) throw new Error('it was there')
    expect(store.write(change(before, { phase: 'verify' })).kind).toBe('written')
  })

  it('is found by the texts of its tasks', async () => {
    formatOne(home.file)
    const lab = searchLab(home)
    const { hits, behind } = await lab.search('tests pass')
    expect([hits.map(({ task }) => task.id).toSorted(), behind]).toEqual([
      [aTaskId, aTaskIdOf(1)].toSorted(),
      0,
    ])
    expect((await lab.search('"It said"')).hits).toMatchObject([
      { task: { id: aTaskId }, snippets: [{ kind: 'output' }] },
    ])
    lab.close()
  })

  it('is kept as a copy that the older version opens', () => {
    formatOne(home.file)
    openStore(home.file)[Symbol.dispose]()
    expect(readdirSync(home.folder).toSorted()).toEqual(['cofferdam.db', 'cofferdam.db.v1'])
    const old = openDatabase(`${home.file}.v1`, migrations.slice(0, 1))
    const json = old.prepare('SELECT json FROM documents, runtime_tasks WHERE documents.id = policy').pluck()
    expect(JSON.parse(String(json.get()))).toEqual(policyThen(aPolicy()))
    expect(old.prepare('SELECT policy_hash FROM runtime_tasks').pluck().get()).toBe('of format 1')
    old.close()
  })

  it('that an older version is given back is refused there, untouched', () => {
    const store = openStore(home.file)
    store.write(birth(aTask()))
    store[Symbol.dispose]()
    const before = readFileSync(home.file)
    expect(() => openDatabase(home.file, migrations.slice(0, 1))).toThrow(
      `newer Cofferdam (format ${migrations.length}, this one knows up to 1)`,
    )
    expect(readFileSync(home.file).equals(before)).toBe(true)
  })
})

it('a task of format 9 whose pull request is not followed needs a person after the upgrade, and the index has it', () => {
  const unfollowed = { status: 'APPLIED', delivery: 'pr_open', pull: aPull({ unfollowed: 'Away.' }) } as const
  {
    using store = openStore(home.file)
    store.write(birth(aTask(unfollowed)))
    store.write(birth(aTask({ ...unfollowed, id: aTaskIdOf(1), pull: aPull() })))
  }
  madeOlder(home.file, 9)
  using store = openStore(home.file)
  expect(store.tasks({ needsPerson: true }).map(({ id }) => id)).toEqual([aTaskId])
  expect(store.needing().APPLIED).toBe(1)
})
