import Database from 'better-sqlite3'
import type { Verification } from '../../../src/domain/verification/verify.ts'
import type { WholeTask } from './whole-task.ts'

export type Value = string | number | null
export type Row = Readonly<Record<string, Value>>

export const attestedTables = [
  'runtime_tasks',
  'runtime_task_checkpoints',
  'runtime_task_events',
  'runtime_task_decisions',
  'egress_log',
  'attestations',
] as const
type Table = (typeof attestedTables)[number] | 'documents'

/** The columns that name a document. */
export const documentColumns: ReadonlySet<string> = new Set(['policy', 'prior_failure', 'baseline', 'box'])

/** Somebody who may write to a task's database, as `sqlite3` does, but has no key. */
export interface Forger extends Disposable {
  readonly db: Database.Database
  all(table: Table): readonly Row[]
  columns(table: Table): { readonly key: readonly string[]; readonly all: readonly string[] }
  /** The key of a row, for people. */
  nameOf(table: Table, row: Row): string
  /** Runs a statement on the row with this key. */
  on(table: Table, row: Row, statement: string, ...values: readonly Value[]): void
  /** Does something after a forgery; then all is as it was. Null where the database does not take it. */
  during<T>(forgery: () => void, act: () => Promise<T> | T): Promise<T | null>
  /** What is found after a forgery. */
  after(forgery: () => void, options?: Parameters<WholeTask['check']>[0]): Promise<Verification | null>
  /** Whether anything is found, or the database does not take it. */
  foundAfter(forgery: () => void): Promise<boolean>
}

export function forgerOf({ lab, check }: WholeTask): Forger {
  const db = new Database(lab.database)
  db.pragma('foreign_keys = OFF')
  const all: Forger['all'] = (table) => db.prepare<[], Row>(`SELECT * FROM ${table}`).all()
  const columns: Forger['columns'] = (table) => {
    const info = db.pragma(`table_info(${table})`) as readonly { name: string; pk: number }[]
    return { key: info.filter(({ pk }) => pk > 0).map(({ name }) => name), all: info.map(({ name }) => name) }
  }
  const restore = db.transaction((kept: readonly (readonly [Table, readonly Row[]])[]): void => {
    for (const [table, rows] of kept) {
      const names = columns(table).all
      db.exec(`DELETE FROM ${table}`)
      const insert = db.prepare(`INSERT INTO ${table} VALUES (${names.map(() => '?').join(', ')})`)
      for (const row of rows) insert.run(...names.map((name) => row[name] ?? null))
    }
  })
  const during: Forger['during'] = async (forgery, act) => {
    const kept = [...attestedTables, 'documents' as const].map((table) => [table, all(table)] as const)
    try {
      db.transaction(forgery)()
    } catch (error) {
      if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_CONSTRAINT')) return null
      throw error
    }
    try {
      return await act()
    } finally {
      restore(kept)
    }
  }
  const after: Forger['after'] = (forgery, options) => during(forgery, () => check(options))
  return {
    db,
    all,
    columns,
    nameOf: (table, row) =>
      columns(table)
        .key.map((name) => row[name])
        .join('/'),
    on(table, row, statement, ...values) {
      const { key } = columns(table)
      const where = key.map((name) => `${name} = ?`).join(' AND ')
      db.prepare(`${statement} WHERE ${where}`).run(...values, ...key.map((name) => row[name]))
    },
    during,
    after,
    foundAfter: async (forgery) => (await after(forgery))?.holds !== true,
    [Symbol.dispose]: () => db.close(),
  }
}
