import { z } from 'zod'
import type { AuditFilter, AuditRow } from '../../src/domain/audit.ts'
import type { ClockSeen } from '../../src/domain/retention.ts'
import type { Millis } from '../../src/domain/brand.ts'
import { auditRowSchema, tokenSchema } from '../../src/domain/answers.ts'
import type { Token } from '../../src/domain/token.ts'
import type { Connection } from './database.ts'
import { type Cell, column, json, rowsOf } from './rows.ts'
import { type SessionStore, sessionsTable } from './sessions.ts'

/** Of tokens only the hash is kept. */
export interface KeptToken extends Token {
  readonly hash: string
}

/** Tokens, sessions and the audit log, as they are stored. */
export interface AccessStore extends SessionStore {
  /** Changes nothing, and false, where another that is not revoked has the name. */
  addToken(token: KeptToken): boolean
  token(id: string): KeptToken | null
  /** Newest first. */
  tokens(): readonly KeptToken[]
  revokeToken(id: string, at: Millis): void
  usedToken(id: string, at: Millis): void
  /** What was not allowed, and so has left no other trace, is on the disk when this returns. */
  addAudit(row: Omit<AuditRow, 'seq'>): void
  audit(filter: AuditFilter): readonly AuditRow[]
  /** Removes the rows from before this time. */
  endAudit(before: Millis): void
  /** Writes something, so that it is known whether anything can be written. */
  probe(at: Millis): void
  /** Null where it was never written. */
  clockSeen(): ClockSeen | null
  seeClock(seen: ClockSeen): void
}

const tokenRows = rowsOf<KeptToken>(
  'api_tokens',
  z.intersection(tokenSchema, z.object({ hash: z.string() })),
  {
    id: column('id'),
    name: column('name'),
    hash: column('hash'),
    role: column('role'),
    scopes: json('scopes'),
    createdAt: column('created_at'),
    createdBy: json('created_by'),
    expiresAt: column('expires_at'),
    revokedAt: column('revoked_at'),
    lastUsedAt: column('last_used_at'),
  },
)

const auditRows = rowsOf<AuditRow>('audit_log', auditRowSchema, {
  seq: column('seq'),
  at: column('at'),
  actor: json('actor'),
  action: column('action'),
  taskId: column('task_id'),
  outcome: column('outcome'),
  text: column('text'),
  requestId: column('request_id'),
})

/** The statements on `api_tokens`, `audit_log` and `probes`. */
export function accessTables(db: Connection): AccessStore {
  const add = db.prepare<Cell[]>(`${tokenRows.insert} ON CONFLICT DO NOTHING`)
  const one = db.prepare<[string], Cell[]>(`${tokenRows.select} WHERE id = ?`).raw()
  const tokens = db.prepare<[], Cell[]>(`${tokenRows.select} ORDER BY created_at DESC, rowid DESC`).raw()
  const revoke = db.prepare('UPDATE api_tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL')
  const use = db.prepare('UPDATE api_tokens SET last_used_at = ? WHERE id = ?')
  const note = db.prepare(
    `INSERT INTO audit_log (at, actor, action, task_id, outcome, text, request_id)
     VALUES (@at, @actor, @action, @taskId, @outcome, @text, @requestId)`,
  )
  // One for each filter: an index is of no use to a condition that may be left out.
  const find = (where: string) =>
    db
      .prepare<(string | number)[], Cell[]>(
        `${auditRows.select} WHERE ${where} seq < ? ORDER BY seq DESC LIMIT ?`,
      )
      .raw()
  const all = find('')
  const ofTask = find('task_id = ? AND')
  const withOutcome = find('outcome = ? AND')
  const ofTaskWithOutcome = find('task_id = ? AND outcome = ? AND')
  const end = db.prepare('DELETE FROM audit_log WHERE at < ?')
  const probe = db.prepare('INSERT OR REPLACE INTO probes (id, at) VALUES (1, ?)')
  // Beside that one, for they are numbers alone that only this installation has a use for.
  const clock = db.prepare<[], number>('SELECT at FROM probes WHERE id IN (2, 3) ORDER BY id').pluck()
  const seeClock = db.prepare('INSERT OR REPLACE INTO probes (id, at) VALUES (2, ?), (3, ?)')

  const audited = ({ taskId, outcome, before = Number.MAX_SAFE_INTEGER, limit }: AuditFilter): Cell[][] => {
    if (taskId === undefined)
      return outcome === undefined ? all.all(before, limit) : withOutcome.all(outcome, before, limit)
    return outcome === undefined
      ? ofTask.all(taskId, before, limit)
      : ofTaskWithOutcome.all(taskId, outcome, before, limit)
  }

  return {
    ...sessionsTable(db),
    addToken: (token) => add.run(...tokenRows.toRow(token)).changes === 1,
    token(id) {
      const row = one.get(id)
      return row === undefined ? null : tokenRows.fromRow(row)
    },
    tokens: () => tokens.all().map((row) => tokenRows.fromRow(row)),
    revokeToken: (id, at) => void revoke.run(at, id),
    usedToken: (id, at) => void use.run(at, id),
    addAudit({ actor, ...row }) {
      const add = (): void => void note.run({ ...row, actor: actor === null ? null : JSON.stringify(actor) })
      if (row.outcome !== 'allowed') return add()
      // What was done is on the disk by now, with who did it. This row is out of our hands too, so that it survives our end;
      // that of the machine only from the next write on, which is not worth a second wait for the disk at each call.
      db.pragma('synchronous = NORMAL')
      try {
        add()
      } finally {
        db.pragma('synchronous = FULL')
      }
    },
    audit: (filter) => audited(filter).map((row) => auditRows.fromRow(row)),
    endAudit: (before) => void end.run(before),
    probe: (at) => void probe.run(at),
    clockSeen() {
      const [at, steadyMs] = clock.all()
      return at === undefined || steadyMs === undefined ? null : { at, steadyMs }
    },
    seeClock: ({ at, steadyMs }) => void seeClock.run(at, steadyMs),
  }
}
