import type { TaskId } from '../../src/domain/ids.ts'
import { taskSchema } from '../../src/domain/schemas.ts'
import type { Status, Task } from '../../src/domain/task.ts'
import type { Connection } from './database.ts'
import type { Documents } from './documents.ts'
import { type Cell, type Codec, column, json, parts, rowsOf } from './rows.ts'
import { memo } from './memo.ts'
import { needsPerson } from './task-lists.ts'
import type { Heartbeat } from './store.ts'

/** Rows from before there were questions have no kind, and what is attested of them is to stay as it was. */
const changeIsNull: Codec = {
  toCell: (kind) => (kind === 'question' ? kind : null),
  toContent: (cell) => cell ?? 'change',
}

const rowsWith = (documents: Documents) =>
  rowsOf<Task>('runtime_tasks', taskSchema, {
    id: column('id'),
    kind: column('kind', changeIsNull),
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
    policy: column('policy', documents),
    policyHash: column('policy_hash'),
    budget: json('budget'),
    spent: parts({ steps: 'spent_steps', ms: 'spent_ms', tokens: 'spent_tokens', costUsd: 'spent_cost' }),
    step: column('step'),
    attempt: column('attempt'),
    violations: column('violations'),
    losses: column('losses'),
    instruction: column('instruction'),
    priorFailure: column('prior_failure', documents),
    baseline: column('baseline', documents),
    setupKey: column('setup_key'),
    progress: json('progress'),
    risks: json('risks'),
    outcome: column('outcome'),
    marks: json('marks'),
    answer: column('answer'),
    delivery: column('delivery'),
    merge: json('merge'),
    pull: json('pull'),
    parentTaskId: column('parent_task_id'),
    createdBy: json('created_by'),
    createdAt: column('created_at'),
    updatedAt: column('updated_at'),
  })

/** How many tasks are remembered before all are forgotten. */
const most = 200

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

/** What heartbeats add to, so that nothing else may put it back. */
type Charged = 'ms' | 'tokens' | 'costUsd'
const charged: Readonly<Partial<Record<string, Charged>>> = {
  spent_ms: 'ms',
  spent_tokens: 'tokens',
  spent_cost: 'costUsd',
}

/** The statements on `runtime_tasks`. */
export function tasksTable(db: Connection, documents: Documents) {
  const rows = rowsWith(documents)
  const read = (rest: string) => db.prepare<Cell[], Cell[]>(`${rows.select} ${rest}`).raw()
  const insert = db.prepare<Cell[]>(`${rows.insert} ON CONFLICT (id) DO NOTHING`)
  const update = memo((columns: string) => {
    // A heartbeat may have charged more since the task was read.
    const set = columns.split(' ').map((name) => `${name} = ${name in charged ? `${name} + ?` : '?'}`)
    return db.prepare<Cell[]>(
      `UPDATE runtime_tasks SET ${set.join(', ')} WHERE id = ? AND status = ? AND version = ? AND fence = ?`,
    )
  })
  const beat = db.prepare(
    `UPDATE runtime_tasks SET spent_ms = spent_ms + @chargeMs, spent_tokens = spent_tokens + @chargeTokens,
       spent_cost = spent_cost + @chargeCostUsd, lease_until = @leaseUntil
     WHERE id = @id AND fence = @fence AND status IN ('RUNNING', 'VALIDATING')
       AND (@chargeMs = 0 OR EXISTS (SELECT 1 FROM runtime_task_checkpoints
         WHERE task_id = @id AND step = @step AND attempt = @attempt AND state = 'open'))`,
  )
  const one = read('WHERE id = ?')
  const pending = db
    .prepare<[], TaskId>(`SELECT id FROM runtime_tasks WHERE status = 'PENDING' ORDER BY created_at, id`)
    .pluck()
  const inFlight = read(
    `WHERE id IN (
       SELECT id FROM runtime_tasks WHERE status IN ('RUNNING', 'VALIDATING')
       UNION SELECT id FROM runtime_tasks WHERE phase = 'salvage')
     ORDER BY created_at, id`,
  )
  const discarded = db
    .prepare<[], TaskId>(`SELECT id FROM runtime_tasks WHERE delivery = 'discarded'`)
    .pluck()
  const delivering = db
    .prepare<[], TaskId>(
      `SELECT id FROM runtime_tasks WHERE delivery = 'delivering'
       ORDER BY max(coalesce(merge ->> 'at', 0), coalesce(pull ->> 'at', 0)), created_at, id`,
    )
    .pluck()
  const proposed = db
    .prepare<[], TaskId>(`SELECT id FROM runtime_tasks WHERE delivery = 'pr_open' ORDER BY created_at, id`)
    .pluck()
  const countsOf = (where: string, by: string) => {
    const each = db.prepare<[], { status: Status; tasks: number }>(
      `SELECT status, count(*) AS tasks FROM runtime_tasks ${where} GROUP BY ${by}`,
    )
    return (): Readonly<Record<Status, number>> => {
      const found: Record<Status, number> = { ...nothing }
      for (const { status, tasks } of each.all()) found[status] = tasks
      return found
    }
  }

  // Tasks as they are in the file; what another connection writes changes `othersWrites`.
  const known = new Map<TaskId, Task>()
  const dataVersion = db.prepare<[], number>('PRAGMA data_version').pluck()
  const lookForOthers = (): number => dataVersion.get() ?? 0
  let seen = lookForOthers()
  // While this process holds the write lock nobody else writes, so that one look is enough.
  let writing = false
  const othersWrites = (): number => (writing ? seen : lookForOthers())

  const remember = (task: Task): Task => {
    if (known.size >= most) known.clear()
    known.set(task.id, task)
    return task
  }
  const forgetOthers = (): void => {
    const now = othersWrites()
    if (now !== seen) known.clear()
    seen = now
  }
  const lookUp = (id: TaskId): Task | null => {
    const remembered = known.get(id)
    if (remembered !== undefined) return remembered
    const row = one.get(id)
    return row === undefined ? null : remember(rows.fromRow(row))
  }
  const task = (id: TaskId): Task | null => {
    forgetOthers()
    return lookUp(id)
  }
  const named = (ids: readonly TaskId[]): readonly Task[] => {
    if (ids.length > 0) forgetOthers()
    return ids.flatMap((id) => lookUp(id) ?? [])
  }

  return {
    task,
    othersWrites,

    /** Does `act` inside a transaction that holds the write lock. */
    whileWriting<T>(act: () => T): T {
      forgetOthers()
      writing = true
      try {
        return act()
      } finally {
        writing = false
      }
    },

    /** Those that there are, in this order, as they are at one moment. */
    several(ids: readonly TaskId[]): readonly Task[] {
      forgetOthers()
      return ids.flatMap((id) => lookUp(id) ?? [])
    },

    /** To be called when a transaction was taken back: what it had written is not there. */
    forget: () => known.clear(),

    /** False where the id is taken. */
    insert: (born: Task): boolean => insert.run(...rows.toRow(born)).changes === 1,

    /**
     * The task as it is now; null where it was not as `before` says. Writes what differs alone, which spares JSON and
     * indexes: a lease that did not change is not written at all.
     */
    update(before: Task, after: Task): Task | null {
      const now = task(before.id)
      if (now === null) return null
      const { columns, cells } = rows.changes(before, after)
      const charge = (part: Charged): number => after.spent[part] - before.spent[part]
      const { changes } = update(columns.join(' ')).run(
        ...cells.map((cell, index) => {
          const part = charged[columns[index] ?? '']
          return part === undefined ? cell : charge(part)
        }),
        before.id,
        before.status,
        before.version,
        before.fence,
      )
      if (changes === 0) return null
      const grown = (part: Charged): number => now.spent[part] + charge(part)
      const spent = { ...after.spent, ms: grown('ms'), tokens: grown('tokens'), costUsd: grown('costUsd') }
      const leaseUntil = after.leaseUntil === before.leaseUntil ? now.leaseUntil : after.leaseUntil
      return remember({ ...after, spent, leaseUntil })
    },

    /** False where the fence is old, nothing is under way, or there is no open checkpoint to charge to. */
    heartbeat(id: TaskId, fence: number, signs: Heartbeat): boolean {
      known.delete(id)
      return beat.run({ chargeTokens: 0, chargeCostUsd: 0, ...signs, id, fence }).changes === 1
    },

    oldestPending(except: ReadonlySet<TaskId>, only: ReadonlySet<TaskId> | null): Task | null {
      for (const id of pending.iterate()) {
        if (!except.has(id) && (only === null || only.has(id))) return task(id)
      }
      return null
    },

    inFlight: (): readonly Task[] => inFlight.all().map((row) => rows.fromRow(row)),

    delivering: () => named(delivering.all()),
    proposed: () => named(proposed.all()),

    discarded: (): ReadonlySet<TaskId> => new Set(discarded.all()),

    counts: countsOf('', 'status'),
    // The sign keeps SQLite from going through all tasks by their states: those that need a person have an index.
    needing: countsOf(`WHERE ${needsPerson}`, '+status'),
  }
}
