import Database from 'better-sqlite3'
import { renameSync, rmSync } from 'node:fs'
import { openDatabase } from '../../control-plane/store/database.ts'
import { migrations } from '../../control-plane/store/migrations.ts'

/**
 * Makes a database what an older version would have written: a file that the older migrations made, with all rows, less the
 * columns and tables that came later. From format 2 on, documents are what they are today. Nobody may have it open.
 */
export function madeOlder(file: string, format: number): void {
  const older = `${file}.older`
  openDatabase(older, migrations.slice(0, format)).close()
  const db = new Database(file)
  db.pragma('foreign_keys = OFF')
  db.prepare('ATTACH ? AS older').run(older)
  const tables = db
    .prepare<[], string>(
      `SELECT name FROM older.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'`,
    )
    .pluck()
    .all()
  for (const table of tables) {
    const columns = db.prepare<[string], string>(`SELECT name FROM pragma_table_info(?, 'older')`).pluck()
    const names = columns.all(table).join(', ')
    db.exec(`INSERT INTO older.${table} (${names}) SELECT ${names} FROM main.${table}`)
  }
  db.exec('DETACH older')
  db.close()
  for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true })
  renameSync(older, file)
}
