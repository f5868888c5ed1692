import type { TaskId } from '../../src/domain/ids.ts'
import { taskSchema } from '../../src/domain/schemas.ts'
import type { Status, Task } from '../../src/domain/task.ts'
import type { TaskFilter } from '../control-plane.ts'
import type { Connection } from './database.ts'
import { column, json, parts, type Row, rowsOf } from './rows.ts'
import type { Heartbeat } from './store.ts'

const rows = rowsOf<Task>('runtime_tasks', taskSchema, {
  id: column('id'),
  status: column('status'),
  phase: column('phase'),
  halt: json('halt'),
  version: column('version'),
  revision: column('revision'),
  fence: column('fence'),
  leaseUntil: column('lease_until'),
  goal: column('goal'),
  request: column('request'),
  repository: parts({ path: 'repository_path', key: 'repository_key' }),
  base: parts({ ref: 'base_ref', commit: 'base_commit' }),
  head: column('head'),
  branch: column('branch'),
  agent: json('agent'),
  setup: column('setup'),
  test: column('test'),
  policy: json('policy'),
  policyHash: column('policy_hash'),
  budget: json('budget'),
  spent: parts({ steps: 'spent_steps', ms: 'spent_ms' }),
  step: column('step'),
  attempt: column('attempt'),
  violations: column('violations'),
  losses: column('losses'),
  instruction: column('instruction'),
  priorFailure: column('prior_failure'),
  baseline: column('baseline'),
  setupKey: column('setup_key'),
  session: column('session'),
  progress: json('progress'),
  risks: json('risks'),
  outcome: column('outcome'),
  delivery: column('delivery'),
  parentTaskId: column('parent_task_id'),
  createdBy: json('created_by'),
  createdAt: column('created_at'),
  updatedAt: column('updated_at'),
})

/** A heartbeat may have charged more since `before` was read; a lease that did not change is not written at all. */
const assignments: Readonly<Record<string, string>> = { spent_ms: 'spent_ms + @charge' }

const nothing: Readonly<Record<Status, number>> = {
  DRAFT: 0,
  PENDING: 0,
  RUNNING: 0,
  VALIDATING: 0,
  APPLIED: 0,
  BLOCKED: 0,
  FAILED: 0,
  TIMEOUT: 0,
  STOPPED: 0,
  REJECTED: 0,
}

/** The statements on `runtime_tasks`. */
export function tasksTable(db: Connection) {
  const names = rows.columns
  const insert = db.prepare(
    `INSERT INTO runtime_tasks (${names.join(', ')}) VALUES (${names.map((name) => `@${name}`).join(', ')})
     ON CONFLICT (id) DO NOTHING`,
  )
  const update = memo((columns: string) => {
    const set = columns.split(' ').map((name) => `${name} = ${assignments[name] ?? `@${name}`}`)
    return db.prepare(
      `UPDATE runtime_tasks SET ${set.join(', ')}
       WHERE id = @before_id AND status = @before_status AND version = @before_version AND fence = @before_fence`,
    )
  })
  const beat = db.prepare(
    `UPDATE runtime_tasks SET spent_ms = spent_ms + @chargeMs, lease_until = @leaseUntil
     WHERE id = @id AND fence = @fence AND status IN ('RUNNING', 'VALIDATING')
       AND (@chargeMs = 0 OR EXISTS (SELECT 1 FROM runtime_task_checkpoints
         WHERE task_id = @id AND step = @step AND attempt = @attempt AND state = 'open'))`,
  )
  const one = db.prepare<[TaskId], Row>('SELECT * FROM runtime_tasks WHERE id = ?')
  const newest = db.prepare<[number], Row>(
    'SELECT * FROM runtime_tasks ORDER BY created_at DESC, id DESC LIMIT ?',
  )
  const newestIn = db.prepare<[string, number], Row>(
    `SELECT * FROM runtime_tasks WHERE status IN (SELECT value FROM json_each(?))
     ORDER BY created_at DESC, id DESC LIMIT ?`,
  )
  const pending = db
    .prepare<[], TaskId>(`SELECT id FROM runtime_tasks WHERE status = 'PENDING' ORDER BY created_at, id`)
    .pluck()
  const inFlight = db.prepare<[], Row>(
    `SELECT * FROM runtime_tasks WHERE id IN (
       SELECT id FROM runtime_tasks WHERE status IN ('RUNNING', 'VALIDATING')
       UNION SELECT id FROM runtime_tasks WHERE phase = 'salvage')
     ORDER BY created_at, id`,
  )
  const present = db.prepare<[], TaskId>(`SELECT id FROM runtime_tasks WHERE delivery <> 'discarded'`).pluck()
  const counts = db.prepare<[], { status: Status; tasks: number }>(
    'SELECT status, count(*) AS tasks FROM runtime_tasks GROUP BY status',
  )

  const task = (id: TaskId): Task | null => {
    const row = one.get(id)
    return row === undefined ? null : rows.fromRow(row)
  }

  return {
    task,

    /** False where the id is taken. */
    insert: (born: Task): boolean => insert.run(rows.toRow(born)).changes === 1,

    /** False where the task is not as `before` says. Writes what differs alone, which spares JSON and indexes. */
    update(before: Task, after: Task): boolean {
      const cells = rows.changes(before, after)
      const { changes } = update(Object.keys(cells).join(' ')).run({
        ...cells,
        charge: after.spent.ms - before.spent.ms,
        before_id: before.id,
        before_status: before.status,
        before_version: before.version,
        before_fence: before.fence,
      })
      return changes === 1
    },

    /** False where the fence is old, nothing is under way, or there is no open checkpoint to charge to. */
    heartbeat: (id: TaskId, fence: number, signs: Heartbeat): boolean =>
      beat.run({ ...signs, id, fence }).changes === 1,

    tasks: ({ statuses: only, limit = -1 }: TaskFilter): readonly Task[] =>
      (only === undefined ? newest.all(limit) : newestIn.all(JSON.stringify(only), limit)).map((row) =>
        rows.fromRow(row),
      ),

    oldestPending(except: ReadonlySet<TaskId>, only: ReadonlySet<TaskId> | null): Task | null {
      for (const id of pending.iterate()) {
        if (!except.has(id) && (only === null || only.has(id))) return task(id)
      }
      return null
    },

    inFlight: (): readonly Task[] => inFlight.all().map((row) => rows.fromRow(row)),

    present: (): ReadonlySet<TaskId> => new Set(present.all()),

    counts(): Readonly<Record<Status, number>> {
      const found: Record<Status, number> = { ...nothing }
      for (const { status, tasks } of counts.all()) found[status] = tasks
      return found
    },
  }
}

/** Remembers what `make` made of each key. */
function memo<T>(make: (key: string) => T): (key: string) => T {
  const made = new Map<string, T>()
  return (key) => {
    const known = made.get(key) ?? make(key)
    made.set(key, known)
    return known
  }
}
