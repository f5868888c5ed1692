import { z } from 'zod'
import type { Millis } from '../../src/domain/brand.ts'
import { exactly } from '../../src/domain/schemas.ts'
import type { Session } from '../../src/domain/session.ts'
import type { Connection } from './database.ts'
import { type Cell, column, rowsOf } from './rows.ts'

/** Sessions of browsers, as they are stored. */
export interface SessionStore {
  /** Removes those that have expired at its beginning too. */
  addSession(session: Session): void
  session(hash: string): Session | null
  /** One that there is not is no error. */
  endSession(hash: string): void
}

const sessionSchema = exactly<Session>()(
  z.object({ hash: z.string(), token: z.string(), createdAt: z.number(), expiresAt: z.number() }),
)
const rows = rowsOf<Session>('api_sessions', sessionSchema, {
  hash: column('hash'),
  token: column('token'),
  createdAt: column('created_at'),
  expiresAt: column('expires_at'),
})

/** The statements on `api_sessions`. */
export function sessionsTable(db: Connection): SessionStore {
  const add = db.prepare<Cell[]>(rows.insert)
  const one = db.prepare<[string], Cell[]>(`${rows.select} WHERE hash = ?`).raw()
  const end = db.prepare<[string]>('DELETE FROM api_sessions WHERE hash = ?')
  const sweep = db.prepare<[Millis]>('DELETE FROM api_sessions WHERE expires_at <= ?')
  return {
    addSession: db.transaction((session: Session) => {
      sweep.run(session.createdAt)
      add.run(...rows.toRow(session))
    }),
    session(hash) {
      const row = one.get(hash)
      return row === undefined ? null : rows.fromRow(row)
    },
    endSession: (hash) => void end.run(hash),
  }
}
