import type { AuditRow } from '../../domain/audit.ts'
import { columns, firstLine, moment } from './text.ts'

/** One line for each control call. */
export function auditLines(rows: readonly AuditRow[]): readonly string[] {
  return columns(
    rows.map(({ at, outcome, actor, action, taskId, text }) => [
      moment(at),
      outcome,
      actor === null ? '?' : firstLine(`${actor.kind} ${actor.id}`, 60),
      firstLine(action, 60),
      taskId ?? '-',
      firstLine(text, 200),
    ]),
  )
}
