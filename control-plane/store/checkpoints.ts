import type { TaskId } from '../../src/domain/ids.ts'
import { checkpointSchema } from '../../src/domain/schemas.ts'
import type { Checkpoint } from '../../src/domain/task.ts'
import type { Connection } from './database.ts'
import { column, json, type Row, rowsOf } from './rows.ts'
import type { Heartbeat } from './store.ts'

const rows = rowsOf<Checkpoint>('runtime_task_checkpoints', checkpointSchema, {
  taskId: column('task_id'),
  step: column('step'),
  attempt: column('attempt'),
  fence: column('fence'),
  state: column('state'),
  box: json('box'),
  charged: column('charged'),
  instruction: column('instruction'),
  agent: json('agent'),
  violations: json('violations'),
  candidate: json('candidate'),
  test: json('test'),
  commit: column('commit_id'),
  startedAt: column('started_at'),
  endedAt: column('ended_at'),
})

const key: readonly string[] = ['task_id', 'step', 'attempt']

/** A heartbeat may have charged more than the caller knows of; another box starts from what the caller says. */
const assignments: Readonly<Record<string, string>> = {
  charged: `iif(excluded.box ->> 'name' IS runtime_task_checkpoints.box ->> 'name',
            max(runtime_task_checkpoints.charged, excluded.charged), excluded.charged)`,
}

/** The statements on `runtime_task_checkpoints`. */
export function checkpointsTable(db: Connection) {
  const names = rows.columns
  const replaced = names
    .filter((name) => !key.includes(name))
    .map((name) => `${name} = ${assignments[name] ?? `excluded.${name}`}`)
  const put = db.prepare(
    `INSERT INTO runtime_task_checkpoints (${names.join(', ')}) VALUES (${names.map((name) => `@${name}`).join(', ')})
     ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${replaced.join(', ')}`,
  )
  const charge = db.prepare(
    `UPDATE runtime_task_checkpoints SET charged = charged + @chargeMs
     WHERE task_id = @id AND step = @step AND attempt = @attempt AND state = 'open'`,
  )
  const all = db.prepare<[TaskId], Row>(
    'SELECT * FROM runtime_task_checkpoints WHERE task_id = ? ORDER BY step, attempt',
  )
  const open = db.prepare<[TaskId], Row>(
    `SELECT * FROM runtime_task_checkpoints WHERE task_id = ? AND state = 'open'`,
  )
  const openBoxes = db
    .prepare<[], string>(
      `SELECT box ->> 'name' FROM runtime_task_checkpoints WHERE state = 'open' AND box IS NOT NULL`,
    )
    .pluck()

  return {
    put(checkpoint: Checkpoint): void {
      put.run(rows.toRow(checkpoint))
    },

    charge(id: TaskId, { step, attempt, chargeMs }: Heartbeat): void {
      charge.run({ id, step, attempt, chargeMs })
    },

    checkpoints: (id: TaskId): readonly Checkpoint[] => all.all(id).map((row) => rows.fromRow(row)),

    openBoxes: (): readonly string[] => openBoxes.all(),

    open(id: TaskId): Checkpoint | null {
      const row = open.get(id)
      return row === undefined ? null : rows.fromRow(row)
    },
  }
}
