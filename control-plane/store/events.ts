import type { TaskId } from '../../src/domain/ids.ts'
import { taskEventSchema } from '../../src/domain/schemas.ts'
import type { TaskEvent } from '../../src/domain/task.ts'
import type { Connection } from './database.ts'
import { column, json, type Row, rowsOf } from './rows.ts'

const rows = rowsOf<TaskEvent>('runtime_task_events', taskEventSchema, {
  taskId: column('task_id'),
  seq: column('seq'),
  at: column('at'),
  type: column('type'),
  actor: json('actor'),
  from: column('from_status'),
  to: column('to_status'),
  step: column('step'),
  attempt: column('attempt'),
  fence: column('fence'),
  text: column('text'),
  data: json('data'),
})

/** The statements on `runtime_task_events`: rows are only ever added. */
export function eventsTable(db: Connection) {
  const names = rows.columns
  const last = db
    .prepare<[TaskId], number>('SELECT coalesce(max(seq), 0) FROM runtime_task_events WHERE task_id = ?')
    .pluck()
  const insert = db.prepare(
    `INSERT INTO runtime_task_events (${names.join(', ')}) VALUES (${names.map((name) => `@${name}`).join(', ')})`,
  )
  const after = db.prepare<[TaskId, number, number], Row>(
    'SELECT * FROM runtime_task_events WHERE task_id = ? AND seq > ? ORDER BY seq LIMIT ?',
  )

  return {
    /** Must run inside a transaction that holds the write lock, or two events could get one number. */
    append(event: Omit<TaskEvent, 'seq'>): number {
      const seq = (last.get(event.taskId) ?? 0) + 1
      insert.run(rows.toRow({ ...event, seq }))
      return seq
    },

    events: (id: TaskId, seq: number, limit: number): readonly TaskEvent[] =>
      after.all(id, seq, limit).map((row) => rows.fromRow(row)),
  }
}
