import Database from 'better-sqlite3'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Report } from './reports.ts'

/** A database with three small tables, and one transaction over them: the least that a transition could be. */
export interface HandWritten extends Disposable {
  write(task: TaskId, report: Report): void
}

export function handWritten(file: string): HandWritten {
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec(`
    CREATE TABLE tasks (id TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT;
    CREATE TABLE events (task TEXT, seq INTEGER, data TEXT, PRIMARY KEY (task, seq)) STRICT, WITHOUT ROWID;
    CREATE TABLE checkpoints (task TEXT, step INTEGER, data TEXT, PRIMARY KEY (task, step)) STRICT;
  `)
  const count = db.prepare<[string]>(
    'INSERT INTO tasks VALUES (?, 1) ON CONFLICT DO UPDATE SET version = version + 1',
  )
  const event = db.prepare<[string, string, string]>(
    'INSERT INTO events SELECT ?, version, ? FROM tasks WHERE id = ?',
  )
  const put = db.prepare<[string, number, string]>(
    'INSERT INTO checkpoints VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET data = excluded.data',
  )
  const write = db.transaction((task: TaskId, { input, along }: Report) => {
    count.run(task)
    event.run(task, JSON.stringify(input), task)
    for (const row of along.checkpoints ?? []) put.run(task, row.step, JSON.stringify(row))
  })
  return {
    write: (task, report) => write.immediate(task, report),
    [Symbol.dispose]: () => db.close(),
  }
}
