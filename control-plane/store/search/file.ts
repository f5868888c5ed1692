import Database from 'better-sqlite3'
import { rmSync } from 'node:fs'
import type { HostPath } from '../../../src/domain/brand.ts'
import { kinds } from '../../../src/domain/search/piece.ts'
import type { Connection } from '../database.ts'

/** Marks a SQLite file as an index of ours: `COFS` in its header. */
const applicationId = 0x43_4f_46_53
/** Rises with every change of what is put into the index: one of another format is made anew. */
const format = 1

/**
 * `content=''`: the terms alone, the texts are in the database. `ascii` splits at spaces and nowhere inside of the terms,
 * which are made in `src/domain/search/words.ts`: of the tokenizers that there are unicode61 leaves Chinese in one piece,
 * and trigram finds nothing below three letters in four times the space. Segments are merged by `tend`, a little at a
 * time: left to itself FTS5 does it in the middle of a write, which then takes 50 ms.
 *
 * `words`: what beginnings of words are looked up in, with how many tasks have had each, about. The prefix queries of FTS5 take
 * 50 to 200 ms at 100,000 tasks where the words are common, and its prefix indexes twice the space.
 */
const schema = `
  CREATE TABLE tasks (doc INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL) STRICT;
  CREATE TABLE words (term TEXT PRIMARY KEY NOT NULL, uses INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE VIRTUAL TABLE texts USING fts5(
    ${kinds.join(', ')}, facets, content='', contentless_delete=1, tokenize='ascii'
  );
  INSERT INTO texts (texts, rank) VALUES ('automerge', 0), ('crisismerge', 200);
`

/**
 * Opens the index in this file. One that is missing, of another format or not to be read is made anew, empty: all that is
 * in it is in the database, too.
 */
export function openIndexFile(file: HostPath): Connection {
  const found = openSound(file)
  if (found !== null) return found
  removeIndexFile(file)
  const db = new Database(file)
  try {
    tune(db)
    db.transaction(() => {
      db.exec(schema)
      db.pragma(`application_id = ${applicationId}`)
      db.pragma(`user_version = ${format}`)
    })()
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

export function removeIndexFile(file: HostPath): void {
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(file + end, { force: true })
}

/** Whether it is the content of the file that is wrong, so that another file would do. */
export function isDamage(error: unknown): boolean {
  return (
    error instanceof Database.SqliteError &&
    /^SQLITE_(CORRUPT|NOTADB|ERROR|MISMATCH|CONSTRAINT)/.test(error.code)
  )
}

function openSound(file: HostPath): Connection | null {
  const db = new Database(file)
  try {
    const [id, known] = ['application_id', 'user_version'].map((name) => db.pragma(name, { simple: true }))
    if (id === applicationId && known === format) {
      tune(db)
      return db
    }
  } catch (error) {
    if (!isDamage(error)) {
      db.close()
      throw error
    }
  }
  db.close()
  return null
}

/** Not FULL: what a power cut takes is put in again, for the versions tell. */
function tune(db: Connection): void {
  db.pragma('busy_timeout = 1000')
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
}
