import type { TaskId } from '../../src/domain/ids.ts'
import { taskEventSchema } from '../../src/domain/schemas.ts'
import type { TaskEvent } from '../../src/domain/task.ts'
import type { Connection } from './database.ts'
import { type Cell, column, json, rowsOf } from './rows.ts'

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
  const insert = db.prepare<Cell[]>(rows.insert)
  const after = db
    .prepare<[TaskId, number, number], Cell[]>(
      `${rows.select} WHERE task_id = ? AND seq > ? ORDER BY seq LIMIT ?`,
    )
    .raw()
  const lastByPeople = db
    .prepare<[TaskId, number], Cell[]>(
      `${rows.select} WHERE task_id = ? AND iif(json_valid(actor), json_extract(actor, '$.kind'), NULL) <> 'system'
       ORDER BY seq DESC LIMIT ?`,
    )
    .raw()

  return {
    append(event: TaskEvent): void {
      insert.run(...rows.toRow(event))
    },

    events: (id: TaskId, seq: number, limit: number): readonly TaskEvent[] =>
      after.all(id, seq, limit).map((row) => rows.fromRow(row)),

    decisions: (id: TaskId, limit: number): readonly TaskEvent[] =>
      lastByPeople
        .all(id, limit)
        .map((row) => rows.fromRow(row))
        .toReversed(),
  }
}
