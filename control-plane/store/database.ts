import Database from 'better-sqlite3'
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { Failure } from '../../src/domain/failure.ts'
import { policyHash } from '../../src/domain/policies.ts'
import { policySchema } from '../../src/domain/schemas.ts'
import { copiesOf, damagedFile, overStorage, wayOut } from './failures.ts'
import { applicationId } from './migrations.ts'

export type Connection = Database.Database

/** How long a write waits for a stranger's lock before it fails. The whole process waits, so it is short. */
const busyMs = 1000

/** How many copies of older formats are kept beside a database: those of the newest. */
const mostCopies = 3

/**
 * Opens the database, makes it where there is none, and brings an older one up to date after keeping a copy of it as
 * `<file>.v<format>`. What is damaged, newer or not ours is refused with `Failure('database')` and stays as it is.
 */
export function openDatabase(file: string, migrations: readonly string[]): Connection {
  return overStorage(file, () => {
    if (sizeOf(file) === 0) create(file, migrations)
    refuseForeign(file)
    const db = new Database(file)
    try {
      refuseNewer(db, file, migrations.length)
      refuseTriggers(db, file)
      tune(db, file)
      upgrade(db, file, migrations)
      return db
    } catch (error) {
      db.close()
      throw error
    }
  })
}

/** The format of a database of ours that is older than `known`; null where there is none, or nothing to bring up to date. */
export function formatBehind(file: string, known: number): number | null {
  return overStorage(file, () => {
    if (sizeOf(file) === 0) return null
    if (refuseForeign(file) >= known) return null
    // Behind it may be a log that says otherwise. Readonly: closing it then leaves the log, which may be long, to the one that works on the file.
    const db = new Database(file, { readonly: true })
    try {
      const format = formatOf(db)
      return format < known ? format : null
    } finally {
      db.close()
    }
  })
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

/** Made under another name and moved in one go: a half-made database is never seen. */
function create(file: string, migrations: readonly string[]): void {
  // A log without its database would be played into the new one.
  if (sizeOf(`${file}-wal`) > 0) throw damagedFile(file, `it is gone, but its log ${file}-wal is still there`)
  accessSync(dirname(file), constants.W_OK)
  const made = `${file}.new`
  for (const leftover of [made, `${made}-journal`]) rmSync(leftover, { force: true })
  const db = new Database(made)
  try {
    db.pragma('synchronous = FULL')
    db.pragma(`application_id = ${applicationId}`)
    migrate(db, migrations)
  } finally {
    db.close()
  }
  renameSync(made, file)
  sync(dirname(file))
}

/** The format that the file itself says, without what is in its log. */
function refuseForeign(file: string): number {
  const header = Buffer.alloc(100)
  const fd = openSync(file, 'r')
  try {
    readSync(fd, header, 0, header.length, 0)
  } finally {
    closeSync(fd)
  }
  const magic = header.toString('latin1', 0, 16) === 'SQLite format 3\0'
  if (magic && header.readUInt32BE(68) === applicationId) return header.readUInt32BE(60)
  const what = magic ? 'is the database of another program' : 'is not a database'
  throw new Failure('database', `${file} ${what}. Move it away. Or: ${wayOut(file)}`)
}

function refuseNewer(db: Connection, file: string, known: number): void {
  const format = formatOf(db)
  if (format <= known) return
  throw new Failure(
    'database',
    `${file} was written by a newer Cofferdam (format ${format}, this one knows up to ${known}). ` +
      `Update Cofferdam. Or: ${wayOut(file)}`,
  )
}

/** What somebody has put in would act in our transactions, and on what they attest. */
function refuseTriggers(db: Connection, file: string): void {
  const found = db
    .prepare<[], string>(`SELECT type || ' ' || name FROM sqlite_schema WHERE type IN ('trigger', 'view')`)
    .pluck()
    .get()
  if (found !== undefined) throw damagedFile(file, `somebody has put the ${found} into it`)
}

function tune(db: Connection, file: string): void {
  db.pragma(`busy_timeout = ${busyMs}`)
  const mode = db.pragma('journal_mode = WAL', { simple: true })
  if (mode !== 'wal') {
    throw new Failure(
      'database',
      `The file system of ${file} cannot hold a write-ahead log. Start with a --data on a local disk.`,
    )
  }
  db.pragma('synchronous = FULL')
  // 64 MB of log, in place of 4: its player (log-player.ts) is there before, so that nobody waits.
  db.pragma('wal_autocheckpoint = 16000')
  db.pragma('foreign_keys = ON')
}

function upgrade(db: Connection, file: string, migrations: readonly string[]): void {
  const format = formatOf(db)
  if (format === migrations.length) return
  keepCopy(db, file, format)
  migrate(db, migrations)
  dropOldCopies(file)
}

/** Half a copy is never left: it would keep a full disk full. */
function keepCopy(db: Connection, file: string, format: number): void {
  const copy = `${file}.v${format}`
  const half = `${copy}.new`
  const clear = (): void => {
    for (const leftover of [half, `${half}-journal`]) rmSync(leftover, { force: true })
  }
  clear()
  try {
    db.prepare('VACUUM INTO ?').run(half)
    sync(half)
    renameSync(half, copy)
  } finally {
    clear()
  }
  sync(dirname(file))
}

function dropOldCopies(file: string): void {
  const formats = copiesOf(file).map((name) => Number(name.slice(name.lastIndexOf('.v') + 2)))
  for (const format of formats.toSorted((a, b) => b - a).slice(mostCopies)) rmSync(`${file}.v${format}`)
}

/** Applies what is missing, each entry in a transaction of its own together with the new format number. */
function migrate(db: Connection, migrations: readonly string[]): void {
  // Tables that are rebuilt lose their references for a moment; they are checked before each commit.
  db.pragma('foreign_keys = OFF')
  db.function('policy_hash', (json: unknown) => policyHash(policySchema.parse(JSON.parse(String(json)))))
  for (const [index, sql] of migrations.entries()) {
    if (index < formatOf(db)) continue
    const apply = db.transaction(() => {
      db.exec(sql)
      const orphans = db.prepare('PRAGMA foreign_key_check').all().length
      if (orphans > 0) throw new Error(`migration ${index + 1} leaves ${orphans} rows without a task`)
      db.pragma(`user_version = ${index + 1}`)
    })
    apply.immediate()
  }
  db.pragma('foreign_keys = ON')
}

function formatOf(db: Connection): number {
  return Number(db.pragma('user_version', { simple: true }))
}

/** Makes a file's content, or a folder's names, survive a power cut. */
function sync(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
