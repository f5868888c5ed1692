import { openDatabase } from '../../../control-plane/store/database.ts'
import { migrations } from '../../../control-plane/store/migrations.ts'
import type { BoxSpec } from '../../../src/domain/box.ts'
import type { Policy } from '../../../src/domain/policy.ts'
import { aBox } from '../../support/box.ts'
import { aCheckpoint, aPolicy, aTask, aTaskId, aTaskIdOf } from '../../support/task.ts'

const since2 = ['worktreeMb', 'worktreeFiles', 'upMb', 'downMb', 'connections']

function without(value: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)))
}

/** As format 1 had them. */
export const policyThen = (policy: Policy): object => ({
  ...without(policy, ['egress', 'upstreams', 'posture']),
  limits: without(policy.limits, since2),
})
const boxThen = (box: BoxSpec, network: string): object => ({
  ...without(box, ['egress']),
  network,
  limits: without(box.limits, since2),
})

export const agentBox = aBox()
export const setupBox = aBox({ kind: 'setup', step: 0 })
export const failure = 'It said {"limits": 1}.'

/** A database file of format 1, with a task under way that has documents of every kind, and others. */
export function formatOne(file: string, others = 1): void {
  const db = openDatabase(file, migrations.slice(0, 1))
  db.exec('BEGIN')
  const document = (value: unknown): number =>
    Number(db.prepare('INSERT INTO documents (json) VALUES (?)').run(JSON.stringify(value)).lastInsertRowid)
  const insert = (table: string, row: Readonly<Record<string, string | number | null>>): void => {
    const names = Object.keys(row)
    const marks = names.map(() => '?').join(', ')
    db.prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${marks})`).run(...Object.values(row))
  }
  const task = aTask({ status: 'RUNNING', phase: 'agent', fence: 1, step: 1, attempt: 1 })
  const ids = [aTaskId, ...Array.from({ length: others }, (_, index) => aTaskIdOf(index + 1))]
  for (const id of ids)
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
      policy: document(policyThen(aPolicy())),
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
  db.exec('COMMIT')
  db.close()
}
