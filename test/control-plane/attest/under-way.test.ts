import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { verifyAttestations } from '../../../control-plane/attest/verify.ts'
import { perform } from '../../../control-plane/gate/act.ts'
import { placeOf } from '../../../control-plane/loop/work.ts'
import { parseAttestation } from '../../../src/domain/attestation.ts'
import { policyHash } from '../../../src/domain/policies.ts'
import type { Task } from '../../../src/domain/task.ts'
import type { Verification } from '../../../src/domain/verification/verify.ts'
import { type LoopLab, loopLab } from '../../support/loop-lab.ts'
import { aRepository, git } from '../../support/repository.ts'
import { aPerson, aPolicy } from '../../support/task.ts'

let lab: LoopLab
let folder: string
let repo: string
let db: Database.Database
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-under-way-'))
  lab = await loopLab()
  repo = aRepository()
  db = new Database(lab.database)
  db.pragma('foreign_keys = OFF')
})
afterEach(async () => {
  db.close()
  await lab[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const born = (repository: string, script: string, overrides: Partial<Task> = {}): Promise<Task> =>
  lab.birth(repository, script, { policyHash: policyHash(aPolicy()), ...overrides })

const check = ({ id }: Task): Promise<Verification> =>
  verifyAttestations(
    { store: lab.deps.store, worktrees: lab.worktrees, key: () => lab.key, installation: 'lab' },
    id,
    [],
    placeOf,
  )

const kindsOf = ({ id }: Task): readonly unknown[] =>
  lab.deps.store.attestations(id).map(({ body }) => parseAttestation(body)?.kind)

/** What is found after these statements; then the rows of the task are as they were. */
async function foundAfter(task: Task, sql: string): Promise<readonly string[]> {
  const tables = [
    'runtime_tasks',
    'runtime_task_events',
    'runtime_task_checkpoints',
    'runtime_task_decisions',
    'attestations',
  ]
  for (const table of tables)
    db.exec(`CREATE TEMP TABLE IF NOT EXISTS kept_${table} AS SELECT * FROM ${table}`)
  db.exec(sql)
  try {
    return (await check(task)).findings.map(({ where }) => where)
  } finally {
    for (const table of tables)
      db.exec(
        `DELETE FROM ${table}; INSERT INTO ${table} SELECT * FROM kept_${table}; DROP TABLE kept_${table}`,
      )
  }
}

const shared: readonly (readonly [string, string])[] = [
  ['its interim attestation', `DELETE FROM attestations WHERE json_extract(body, '$.kind') = 'interim'`],
  ['all attestations', 'DELETE FROM attestations'],
  ['another goal', `UPDATE runtime_tasks SET goal = 'Another'`],
  ['another command', `UPDATE runtime_tasks SET agent = replace(agent, 'echo', 'cat')`],
  ['another budget', `UPDATE runtime_tasks SET budget = json_set(budget, '$.steps', 99)`],
  ['another sentence', `UPDATE runtime_task_events SET text = 'x' WHERE seq = 1`],
  [
    'its last event',
    `DELETE FROM runtime_task_events WHERE seq = (SELECT version FROM runtime_tasks);
     UPDATE runtime_tasks SET version = version - 1`,
  ],
  [
    'one more event',
    `INSERT INTO runtime_task_events SELECT task_id, seq + 1, at, 'noticed', actor, to_status, to_status, step, attempt, fence,
       'x', data FROM runtime_task_events ORDER BY seq DESC LIMIT 1;
     UPDATE runtime_tasks SET version = version + 1`,
  ],
  ...['DRAFT', 'PENDING', 'RUNNING', 'VALIDATING', 'APPLIED', 'STOPPED'].map(
    (status) => [status, `UPDATE runtime_tasks SET status = '${status}', fence = fence + 1`] as const,
  ),
]

describe('a task that waits', () => {
  it.each(['DRAFT', 'PENDING'] as const)('holds, and what is changed of it is found: %s', async (status) => {
    await lab.close()
    const task = await born(repo, 'echo done >done.txt; echo TASK_STATE: DONE', { status })
    expect(await check(task)).toMatchObject({ holds: true, notes: [], attestations: 1 })
    const unseen: string[] = []
    for (const [name, sql] of shared) if ((await foundAfter(task, sql)).length === 0) unseen.push(name)
    expect(unseen).toEqual([])
    expect(await check(task)).toMatchObject({ holds: true })
  })

  it('that is decided on has one attestation for all that it waited', async () => {
    await lab.close()
    const task = await born(repo, 'true', { status: 'DRAFT' })
    const person = { actor: aPerson, shown: null }
    perform(lab.deps, task.id, { act: 'suggest', text: 'Mind the style' }, person)
    perform(lab.deps, task.id, { act: 'approve' }, person)
    expect(kindsOf(task)).toEqual(['interim'])
    expect(await check(task)).toMatchObject({ holds: true })
  })

  it('and was changed goes on under what is found afterwards', async () => {
    await lab.close()
    const task = await born(repo, 'echo done >done.txt; echo TASK_STATE: DONE', { test: 'true' })
    db.exec(`UPDATE runtime_tasks SET budget = json_set(budget, '$.steps', 7)`)
    await lab.reopen()
    expect(await lab.settled(task.id)).toMatchObject({ status: 'APPLIED' })
    expect(kindsOf(task)).toEqual(['interim', 'step', 'closing'])
    expect((await check(task)).findings).toEqual([
      { where: 'attestation 1', text: expect.stringContaining('changed after event 1') as unknown },
    ])
  })
})

describe('a task under way', () => {
  const waits = (): string => `echo done >done.txt; touch ${folder}/begun
    while [ ! -e ${folder}/go ]; do sleep 0.02; done; echo TASK_STATE: DONE`
  const running = async (): Promise<Task> => {
    const { id } = await born(repo, waits(), { test: 'true' })
    return await lab.until(id, () => existsSync(join(folder, 'begun')))
  }
  const goOn = (): void => writeFileSync(join(folder, 'go'), '')

  it('holds, and what is changed of it is found', async () => {
    const task = await running()
    expect(await check(task)).toMatchObject({
      holds: true,
      notes: [expect.stringContaining('what its box has used and asked for is attested')],
    })
    const unseen: string[] = []
    const own = [
      ['its attempt', 'DELETE FROM runtime_task_checkpoints'],
      ['what it is charged for', `UPDATE runtime_task_checkpoints SET started_at = 1`],
    ] as const
    for (const [name, sql] of [...shared, ...own])
      if ((await foundAfter(task, sql)).length === 0) unseen.push(name)
    goOn()
    expect(unseen).toEqual([])
    expect(await lab.settled(task.id)).toMatchObject({ status: 'APPLIED' })
    expect(await check(task)).toMatchObject({ holds: true, notes: [] })
    expect(kindsOf(task)).toEqual(['step', 'closing'])
  })

  it('that was changed goes on, and that is found afterwards', async () => {
    const task = await running()
    db.exec(`UPDATE runtime_task_checkpoints SET instruction = 'Other' WHERE state = 'open'`)
    goOn()
    await lab.settled(task.id)
    expect(kindsOf(task)).toEqual(['interim', 'step', 'closing'])
    expect((await check(task)).findings.map(({ where }) => where)).toEqual(['attestation 1'])
  })

  it('whose branch in the repository has what is not attested is found', async () => {
    const task = await running()
    const tree = git(repo, 'rev-parse', 'HEAD^{tree}').trim()
    const message = `Forged\n\nCofferdam-Attestation: ${'f'.repeat(64)}`
    const commit = git(repo, 'commit-tree', '-p', task.base.commit, '-m', message, tree).trim()
    git(repo, 'update-ref', `refs/heads/${task.branch}`, commit)
    const { findings } = await check(task)
    git(repo, 'update-ref', '-d', `refs/heads/${task.branch}`)
    goOn()
    await lab.settled(task.id)
    expect(findings).toEqual([
      { where: `branch in ${repo}`, text: expect.stringContaining('which was taken out') as unknown },
    ])
  })
})
