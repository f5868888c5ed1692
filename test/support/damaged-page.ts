import Database from 'better-sqlite3'
import { closeSync, openSync, writeSync } from 'node:fs'

/** Writes rubbish over the first page of a table. Nobody may have the database open. */
export function damagePage(file: string, table: string): void {
  const db = new Database(file)
  const size = Number(db.pragma('page_size', { simple: true }))
  const page = Number(db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').pluck().get(table))
  // With this, what is in the log is in the file.
  db.close()
  const fd = openSync(file, 'r+')
  writeSync(fd, Buffer.alloc(size, 0xa5), 0, size, (page - 1) * size)
  closeSync(fd)
}
