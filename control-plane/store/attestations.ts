import type { SignedAttestation } from '../../src/domain/attestation.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { signedAttestationSchema } from '../../src/domain/answers.ts'
import type { Connection } from './database.ts'
import { type Cell, column, rowsOf } from './rows.ts'

const rows = rowsOf<SignedAttestation>('attestations', signedAttestationSchema, {
  taskId: column('task_id'),
  seq: column('seq'),
  body: column('body'),
  hash: column('hash'),
  key: column('key'),
  signature: column('signature'),
})

/** The statements on `attestations`: rows are only ever added, but for the interim one of a task, whose place is taken. */
export function attestationsTable(db: Connection) {
  const insert = db.prepare<Cell[]>(rows.insert)
  const all = db.prepare<[TaskId], Cell[]>(`${rows.select} WHERE task_id = ? ORDER BY seq`).raw()
  const last = db
    .prepare<[TaskId, number], Cell[]>(
      `${rows.select} WHERE task_id = ? AND seq < ? ORDER BY seq DESC LIMIT 1`,
    )
    .raw()
  const lastHash = db
    .prepare<[TaskId], string>('SELECT hash FROM attestations WHERE task_id = ? ORDER BY seq DESC LIMIT 1')
    .pluck()
  const replaceInterim = db.prepare<[string, string, string, string, TaskId, number]>(
    `UPDATE attestations SET body = ?, hash = ?, key = ?, signature = ? WHERE task_id = ? AND seq = ?
       AND iif(json_valid(body), json_extract(body, '$.kind'), NULL) = 'interim'`,
  )
  const keys = db.prepare<[], string>('SELECT DISTINCT key FROM attestations ORDER BY key').pluck()

  return {
    append(signed: SignedAttestation): void {
      const { taskId, seq, body, hash, key, signature } = signed
      const replaced = replaceInterim.run(body, hash, key, signature, taskId, seq)
      if (replaced.changes === 0) insert.run(...rows.toRow(signed))
    },

    attestations: (id: TaskId): readonly SignedAttestation[] => all.all(id).map((row) => rows.fromRow(row)),

    keys: (): readonly string[] => keys.all(),

    lastHash: (id: TaskId): string | null => lastHash.get(id) ?? null,

    last(id: TaskId, below: number): SignedAttestation | null {
      const row = last.get(id, below)
      return row === undefined ? null : rows.fromRow(row)
    },
  }
}
