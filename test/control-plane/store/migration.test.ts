import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../../../control-plane/store/database.ts'
import { migrations } from '../../../control-plane/store/migrations.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import type { BoxSpec } from '../../../src/domain/box.ts'
import { policyHash } from '../../../src/domain/policies.ts'
import type { Policy } from '../../../src/domain/policy.ts'
import { aBox } from '../../support/box.ts'
import { birth, change } from '../../support/change.ts'
import { aCheckpoint, aPolicy, aTask, aTaskId, aTaskIdOf } from '../../support/task.ts'
import { searchLab } from '../search/lab.ts'
import { type Home, makeHome } from './home.ts'

let home: Home
beforeEach(() => {
  home = makeHome()
})
afterEach(() => home[Symbol.dispose]())

const since2 = ['worktreeMb', 'worktreeFiles', 'upMb', 'downMb', 'connections']

function without(value: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)))
}

/** As format 1 had them. */
const policyThen = (policy: Policy): object => ({
  ...without(policy, ['egress', 'upstreams', 'posture']),
  limits: without(policy.limits, since2),
})
const boxThen = (box: BoxSpec, network: string): object => ({
  ...without(box, ['egress']),
  network,
  limits: without(box.limits, since2),
})

const agentBox = aBox()
const setupBox = aBox({ kind: 'setup', step: 0 })
const failure = 'It said {"limits": 1}.'

/** A database file of format 1, with a task under way that has documents of every kind. */
function formatOne(): void {
  const db = openDatabase(home.file, migrations.slice(0, 1))
  const document = (value: unknown): number =>
    Number(db.prepare('INSERT INTO documents (json) VALUES (?)').run(JSON.stringify(value)).lastInsertRowid)
  const insert = (table: string, row: Readonly<Record<string, string | number | null>>): void => {
    const names = Object.keys(row)
    const marks = names.map(() => '?').join(', ')
    db.prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${marks})`).run(...Object.values(row))
  }
  const task = aTask({ status: 'RUNNING', phase: 'agent', fence: 1, step: 1, attempt: 1 })
  const policy = document(policyThen(aPolicy()))
  for (const id of [aTaskId, aTaskIdOf(1)])
    insert('runtime_tasks', {
      id,
      status: task.status,
      phase: task.phase,
      halt: null,
      version: 1,
      revision: 1,
      fence: 1,
      lease_until: 5000,
      goal: task.goal,
      request: task.request,
      repository_path: '/repositories/example',
      repository_key: 'example',
      base_ref: task.base.ref,
      base_commit: task.base.commit,
      head: task.head,
      branch: task.branch,
      agent: JSON.stringify(task.agent),
      test: task.test,
      policy,
      policy_hash: 'of format 1',
      budget: '{"steps":8,"seconds":1200}',
      spent_steps: 2,
      spent_ms: 3000,
      step: 1,
      attempt: 1,
      violations: 0,
      losses: 0,
      prior_failure: id === aTaskId ? document(failure) : null,
      progress: JSON.stringify(task.progress),
      risks: '[]',
      delivery: 'none',
      created_by: JSON.stringify(task.createdBy),
      created_at: task.createdAt,
      updated_at: task.updatedAt,
    })
  const row = {
    task_id: aTaskId,
    fence: 1,
    charged: 42,
    violations: '[]',
    started_at: aCheckpoint().startedAt,
  }
  const setup = document(boxThen(setupBox, 'engine'))
  insert('runtime_task_checkpoints', { ...row, step: 0, attempt: 1, state: 'kept', box: setup })
  const box = document(boxThen(agentBox, 'none'))
  insert('runtime_task_checkpoints', { ...row, step: 1, attempt: 1, state: 'open', box })
  db.close()
}

describe('a database of format 1', () => {
  it('becomes one of format 6, with its documents', () => {
    formatOne()
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
    formatOne()
    using store = openStore(home.file)
    const task = store.task(aTaskId)
    expect(task?.policyHash).toBe(policyHash(aPolicy({ posture: 'degraded' })))
  })

  it('has nothing attested and no egress, and takes both', () => {
    formatOne()
    using store = openStore(home.file)
    expect([store.attestations(aTaskId), store.egressLog(aTaskId, null, 10)]).toEqual([[], []])
    const { task, checkpoints } = store.record(aTaskId)
    expect([Object.keys(task ?? {}).includes('spent_tokens'), checkpoints.length]).toEqual([true, 2])
    const before = store.task(aTaskId)
    if (before === null) throw new Error('it was there')
    expect(store.write(change(before, { phase: 'verify' })).kind).toBe('written')
  })

  it('is found by the texts of its tasks', async () => {
    formatOne()
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
    formatOne()
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
