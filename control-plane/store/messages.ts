import type { TaskId } from '../../src/domain/ids.ts'
import { taskIdSchema } from '../../src/domain/schemas.ts'
import { z } from 'zod'
import type { MessageBook, SentMessage } from '../../src/domain/outbox/messages.ts'
import type { Connection } from './database.ts'
import { type Cell, column, flag, rowsOf } from './rows.ts'

const schema: z.ZodType<SentMessage> = z.object({
  destination: z.string(),
  taskId: taskIdSchema,
  kind: z.string(),
  channel: z.string(),
  message: z.string(),
  shown: z.int(),
  revision: z.int(),
  settled: z.boolean(),
})

const rows = rowsOf<SentMessage>('messages', schema, {
  destination: column('destination'),
  taskId: column('task_id'),
  kind: column('kind'),
  channel: column('channel'),
  message: column('message'),
  shown: column('shown'),
  revision: column('revision'),
  settled: flag('settled'),
})

/** The statements on `messages`. */
export function messagesTable(db: Connection): MessageBook {
  const of = (rest: string) => db.prepare<Cell[], Cell[]>(`${rows.select} ${rest}`).raw()
  const find = of('WHERE destination = ? AND task_id = ? AND kind = ?')
  // Numbers at the end of a kind have no leading zeros, so a longer one is a later one.
  const newest = of(
    `WHERE destination = ? AND task_id = ? AND kind LIKE ? || '%' ORDER BY length(kind) DESC, kind DESC LIMIT 1`,
  )
  const unsettled = of('WHERE destination = ? AND task_id = ? AND NOT settled ORDER BY length(kind), kind')
  const put = db.prepare<Cell[]>(rows.insert.replace('INSERT', 'INSERT OR REPLACE'))
  const forget = db.prepare<[{ destination: string; taskId: TaskId | null; kind: string | null }]>(
    `DELETE FROM messages WHERE destination = :destination
       AND task_id = coalesce(:taskId, task_id) AND kind = coalesce(:kind, kind)`,
  )
  const tasksOf = db
    .prepare<[string, string, number], TaskId>(
      `SELECT DISTINCT id FROM messages JOIN runtime_tasks AS task ON id = task_id
       WHERE destination = ? AND message = ? AND messages.kind IN ('status', 'thread')
       ORDER BY task.created_at DESC, id DESC LIMIT ?`,
    )
    .pluck()
  const behind = db
    .prepare<[string], TaskId>(
      `SELECT task_id FROM messages JOIN runtime_tasks AS task ON id = task_id
       WHERE destination = ? AND (messages.kind = 'status' AND shown < version
         OR NOT settled AND (task.status <> 'DRAFT' OR messages.revision < task.revision))
       GROUP BY task_id ORDER BY updated_at`,
    )
    .pluck()
  const one = (row: Cell[] | undefined): SentMessage | null => (row === undefined ? null : rows.fromRow(row))
  return {
    find: (destination, taskId, kind) => one(find.get(destination, taskId, kind)),
    put: (message) => void put.run(...rows.toRow(message)),
    forget: (destination, { taskId = null, kind = null }) => void forget.run({ destination, taskId, kind }),
    unsettled: (destination, taskId) => unsettled.all(destination, taskId).map((row) => rows.fromRow(row)),
    newest: (destination, taskId, prefix) => one(newest.get(destination, taskId, prefix)),
    taskOf: (destination, message) => tasksOf.get(destination, message, 1) ?? null,
    // A negative limit is none.
    tasksOf: (destination, message) => tasksOf.all(destination, message, -1),
    behind: (destination) => behind.all(destination),
  }
}
