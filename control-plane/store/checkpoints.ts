import type { TaskId } from '../../src/domain/ids.ts'
import { checkpointSchema } from '../../src/domain/schemas.ts'
import type { Checkpoint } from '../../src/domain/task.ts'
import type { Connection } from './database.ts'
import type { Documents } from './documents.ts'
import { type Cell, column, json, rowsOf } from './rows.ts'
import type { Heartbeat } from './store.ts'

const rowsWith = (documents: Documents) =>
  rowsOf<Checkpoint>('runtime_task_checkpoints', checkpointSchema, {
    taskId: column('task_id'),
    step: column('step'),
    attempt: column('attempt'),
    fence: column('fence'),
    state: column('state'),
    box: column('box', documents),
    boxes: json('boxes'),
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
/** The columns that an index or a foreign key is about: left alone where they stay, which most writes do. */
const bound: readonly string[] = ['state', 'box']

const nameOf = (box: string): string => `(SELECT json ->> 'name' FROM documents WHERE documents.id = ${box})`

/** The statements on `runtime_task_checkpoints`. */
export function checkpointsTable(db: Connection, documents: Documents) {
  const rows = rowsWith(documents)
  const read = (rest: string) => db.prepare<Cell[], Cell[]>(`${rows.select} ${rest}`).raw()
  const others = rows.columns.filter((name) => ![...key, ...bound, 'charged'].includes(name))
  // A heartbeat may have charged more than the caller knows of; a box of another name starts from what the caller says.
  const amend = db.prepare<Cell[]>(
    `UPDATE runtime_task_checkpoints SET charged = max(charged, ?), ${others.map((name) => `${name} = ?`).join(', ')}
     WHERE ${[...key, ...bound].map((name) => `${name} IS ?`).join(' AND ')}`,
  )
  const amended = ['charged', ...others, ...key, ...bound].map((name) => rows.columns.indexOf(name))
  const put = db.prepare<Cell[]>(
    `${rows.insert} ON CONFLICT (${key.join(', ')}) DO UPDATE SET
       charged = iif(box IS excluded.box OR ${nameOf('box')} IS ${nameOf('excluded.box')},
         max(charged, excluded.charged), excluded.charged),
       ${[...bound, ...others].map((name) => `${name} = excluded.${name}`).join(', ')}`,
  )
  const charge = db.prepare(
    `UPDATE runtime_task_checkpoints SET charged = charged + @chargeMs
     WHERE task_id = @id AND step = @step AND attempt = @attempt AND state = 'open'`,
  )
  const since = read('WHERE task_id = ? AND step >= ? ORDER BY step, attempt')
  const open = read(`WHERE task_id = ? AND state = 'open'`)
  const openBoxes = db
    .prepare<[], string>(
      `SELECT ${nameOf('box')} FROM runtime_task_checkpoints WHERE state = 'open' AND box IS NOT NULL`,
    )
    .pluck()

  return {
    put(checkpoint: Checkpoint): void {
      const row = rows.toRow(checkpoint)
      if (amend.run(...amended.map((index) => row[index] ?? null)).changes === 0) put.run(...row)
    },

    charge(id: TaskId, { step, attempt, chargeMs }: Heartbeat): void {
      charge.run({ id, step, attempt, chargeMs })
    },

    checkpoints: (id: TaskId, step: number): readonly Checkpoint[] =>
      since.all(id, step).map((row) => rows.fromRow(row)),

    openBoxes: (): readonly string[] => openBoxes.all(),

    open(id: TaskId): Checkpoint | null {
      const row = open.get(id)
      return row === undefined ? null : rows.fromRow(row)
    },
  }
}
