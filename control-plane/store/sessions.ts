import { z } from 'zod'
import type { Millis } from '../../src/domain/brand.ts'
import { exactly } from '../../src/domain/schemas.ts'
import type { Session } from '../../src/domain/session.ts'
import type { Connection } from './database.ts'
import { type Cell, column, rowsOf } from './rows.ts'

/** Sessions of browsers, as they are stored. */
export interface SessionStore {
  /**
   * Removes those that have expired at its beginning too, and the oldest of its token where that has more than `most` then.
   * @returns the hashes of all that it removed
   */
  addSession(session: Session, most: number): readonly string[]
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
  const sweep = db
    .prepare<[Millis], string>('DELETE FROM api_sessions WHERE expires_at <= ? RETURNING hash')
    .pluck()
  const trim = db
    .prepare<[{ token: string; kept: number }], string>(
      `DELETE FROM api_sessions WHERE hash IN (
         SELECT hash FROM api_sessions WHERE token = @token ORDER BY created_at DESC, hash LIMIT -1 OFFSET @kept
       ) RETURNING hash`,
    )
    .pluck()
  return {
    addSession: db.transaction((session: Session, most: number) => {
      const ended = [...sweep.all(session.createdAt), ...trim.all({ token: session.token, kept: most - 1 })]
      add.run(...rows.toRow(session))
      return ended
    }),
    session(hash) {
      const row = one.get(hash)
      return row === undefined ? null : rows.fromRow(row)
    },
    endSession: (hash) => void end.run(hash),
  }
}
