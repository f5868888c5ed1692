import type { EgressRow } from '../../src/domain/egress.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { egressRowSchema } from '../../src/domain/schemas.ts'
import type { Connection } from './database.ts'
import { type Cell, column, rowsOf } from './rows.ts'

const rows = rowsOf<EgressRow>('egress_log', egressRowSchema, {
  taskId: column('task_id'),
  box: column('box'),
  id: column('id'),
  at: column('at'),
  kind: column('kind'),
  host: column('host'),
  port: column('port'),
  method: column('method'),
  path: column('path'),
  verdict: column('verdict'),
  rule: column('rule'),
  text: column('text'),
  address: column('address'),
  bytesUp: column('bytes_up'),
  bytesDown: column('bytes_down'),
})

const key: readonly string[] = ['task_id', 'box', 'id']

/** The statements on `egress_log`: a row is added when it is decided, and replaced when its connection is over. */
export function egressTable(db: Connection) {
  const others = rows.columns.filter((name) => !key.includes(name))
  const put = db.prepare<Cell[]>(
    `${rows.insert} ON CONFLICT (${key.join(', ')}) DO UPDATE SET
       ${others.map((name) => `${name} = excluded.${name}`).join(', ')}`,
  )
  const newest = db
    .prepare<[TaskId, string | null, string | null, number], Cell[]>(
      `SELECT * FROM (${rows.select} WHERE task_id = ? AND (? IS NULL OR box = ?)
       ORDER BY at DESC, box DESC, id DESC LIMIT ?) ORDER BY at, box, id`,
    )
    .raw()
  const lastId = db
    .prepare<[TaskId, string], number | null>(`SELECT max(id) FROM egress_log WHERE task_id = ? AND box = ?`)
    .pluck()
  const putAll = db.transaction((batch: readonly EgressRow[]): void => {
    for (const row of batch) put.run(...rows.toRow(row))
  })

  return {
    put: (batch: readonly EgressRow[]): void => putAll.immediate(batch),

    /** The newest `limit`, in order of time. */
    log: (id: TaskId, box: string | null, limit: number): readonly EgressRow[] =>
      newest.all(id, box, box, limit).map((row) => rows.fromRow(row)),

    /** Not that of the newest: the clock may have been put back. */
    lastId: (id: TaskId, box: string): number => lastId.get(id, box) ?? 0,
  }
}
