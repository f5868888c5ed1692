import { z } from 'zod'
import type { Millis } from '../../src/domain/brand.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { actorSchema, taskIdSchema } from '../../src/domain/schemas.ts'
import type { Task } from '../../src/domain/task.ts'
import type { Connection } from './database.ts'
import { type Cell, column, json, rowsOf } from './rows.ts'
import type { Surface, SurfaceRefusal, SurfaceUse } from './store.ts'

const schema: z.ZodType<Surface> = z.object({
  id: z.string(),
  taskId: taskIdSchema,
  revision: z.int(),
  actions: z.array(z.string()),
  openedAt: z.number(),
  expiresAt: z.number(),
  closedAt: z.number().nullable(),
  usedAction: z.string().nullable(),
  usedBy: actorSchema.nullable(),
  text: z.string().nullable(),
})

const rows = rowsOf<Surface>('runtime_task_decisions', schema, {
  id: column('id'),
  taskId: column('task_id'),
  revision: column('revision'),
  actions: json('actions'),
  openedAt: column('opened_at'),
  expiresAt: column('expires_at'),
  closedAt: column('closed_at'),
  usedAction: column('used_action'),
  usedBy: json('used_by'),
  text: column('text'),
})

/** Why this use of a surface does not count; null where it does. Pure. */
export function useRefusal(surface: Surface | null, use: SurfaceUse, before: Task): SurfaceRefusal | null {
  if (surface === null || surface.taskId !== before.id) return 'unknown'
  if (surface.usedAction !== null) return 'used'
  if (surface.closedAt !== null) return 'closed'
  if (surface.revision !== before.revision) return 'stale'
  if (surface.expiresAt <= use.at) return 'expired'
  return surface.actions.includes(use.action) ? null : 'not_offered'
}

/** The statements on `runtime_task_decisions`. */
export function decisionsTable(db: Connection) {
  const insert = db.prepare<Cell[]>(rows.insert)
  const one = db.prepare<[string], Cell[]>(`${rows.select} WHERE id = ?`).raw()
  const use = db.prepare(
    `UPDATE runtime_task_decisions SET closed_at = @at, used_action = @action, used_by = @actor, text = @text
     WHERE id = @id`,
  )
  const close = db.prepare(
    `UPDATE runtime_task_decisions SET closed_at = @at
     WHERE task_id = @id AND closed_at IS NULL AND revision < @below`,
  )
  const open = db
    .prepare<[TaskId], Cell[]>(
      `${rows.select} WHERE task_id = ? AND closed_at IS NULL ORDER BY opened_at DESC, rowid DESC LIMIT 1`,
    )
    .raw()
  const newest = db
    .prepare<[TaskId], Cell[]>(
      `${rows.select} WHERE task_id = ? ORDER BY opened_at DESC, rowid DESC LIMIT 100`,
    )
    .raw()
  const used = db
    .prepare<[TaskId], Cell[]>(
      `${rows.select} WHERE task_id = ? AND used_action IS NOT NULL ORDER BY closed_at DESC, rowid DESC LIMIT 1`,
    )
    .raw()

  const surface = (row: Cell[] | undefined): Surface | null => (row === undefined ? null : rows.fromRow(row))

  return {
    surface: (id: string): Surface | null => surface(one.get(id)),
    openSurface: (id: TaskId): Surface | null => surface(open.get(id)),
    surfaces: (id: TaskId): readonly Surface[] => newest.all(id).map((row) => rows.fromRow(row)),
    lastUsed: (id: TaskId): Surface | null => surface(used.get(id)),

    open(opened: Surface): void {
      insert.run(...rows.toRow(opened))
    },

    /** The caller has asked `useRefusal` in the same transaction. */
    use({ id, action, actor, text, at }: SurfaceUse): void {
      use.run({ id, action, actor: JSON.stringify(actor), text, at })
    },

    /** Closes the task's open surfaces that show a lower revision than `below`. */
    close(id: TaskId, below: number, at: Millis): void {
      close.run({ id, below, at })
    },
  }
}
