import Database from 'better-sqlite3'
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../../../control-plane/store/database.ts'
import { migrations } from '../../../control-plane/store/migrations.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import { Failure } from '../../../src/domain/failure.ts'
import { birth, change } from '../../support/change.ts'
import { aTask, aTaskId, aTaskIdOf } from '../../support/task.ts'
import { type Home, makeHome } from './home.ts'

const nextFormat = [...migrations, 'ALTER TABLE runtime_tasks ADD COLUMN colour TEXT']

let home: Home
beforeEach(() => {
  home = makeHome()
})
afterEach(() => home[Symbol.dispose]())

/** What opening it throws, which has to be for people. */
function refusal(open: () => { close?(): unknown; [Symbol.dispose]?(): void }): Failure {
  try {
    const opened = open()
    opened.close?.()
    opened[Symbol.dispose]?.()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('it was opened')
}

/** Makes a database with a task of two events in it and closes it. */
function fill(file = home.file): void {
  const store = openStore(file)
  store.write(birth(aTask()))
  store.write(change(aTask(), { status: 'DRAFT' }))
  store[Symbol.dispose]()
}

describe('a database', () => {
  it('is made in one go, as safe as SQLite can be', () => {
    const db = openDatabase(home.file, migrations)
    const pragma = (name: string) => db.pragma(name, { simple: true })
    expect(pragma('journal_mode')).toBe('wal')
    expect(pragma('synchronous')).toBe(2)
    expect(pragma('foreign_keys')).toBe(1)
    expect(pragma('busy_timeout')).toBe(1000)
    expect(pragma('user_version')).toBe(migrations.length)
    const tables = db.prepare(`SELECT strict FROM pragma_table_list WHERE name LIKE 'runtime%'`).pluck().all()
    expect(tables).toEqual([1, 1, 1, 1])
    db.close()
    expect(readdirSync(home.folder)).toEqual(['cofferdam.db'])
  })

  it('that was being made when the process died is made again', () => {
    writeFileSync(`${home.file}.new`, 'half')
    writeFileSync(`${home.file}.new-journal`, 'half')
    fill()
    expect(readdirSync(home.folder)).toEqual(['cofferdam.db'])
  })

  it('keeps every table for tasks alone: rows without a task are refused', () => {
    const db = openDatabase(home.file, migrations)
    const orphan = `INSERT INTO runtime_task_events VALUES ('x', 1, 1, 't', '{}', NULL, 'DRAFT', 0, 0, 0, '', '{}')`
    expect(() => db.exec(orphan)).toThrow(/FOREIGN KEY/)
    db.close()
  })
})

describe('an older database', () => {
  it('B11 of the first format opens with its task, events, checkpoints and surface', () => {
    const db = new Database(home.file)
    db.exec(readFileSync(new URL('fixtures/format-1.sql', import.meta.url), 'utf8'))
    db.close()
    const store = openStore(home.file)
    const task = store.tasks({})[0]
    expect(task).toMatchObject({
      goal: 'Grüße: fix the parser',
      status: 'DRAFT',
      version: 2,
      policy: { onViolation: 'retry' },
    })
    const id = task?.id ?? aTaskId
    expect(store.events(id, 0, 10).map(({ type }) => type)).toEqual(['submitted', 'noted'])
    expect(store.checkpoints(id)).toMatchObject([{ step: 1, attempt: 1, state: 'kept', charged: 42 }])
    expect(store.openSurface(id)).toMatchObject({ actions: ['approve', 'reject'], revision: 1 })
    store[Symbol.dispose]()
  })

  it('B11 is brought up to date, and a copy of it is kept', () => {
    fill()
    const db = openDatabase(home.file, nextFormat)
    expect(db.pragma('user_version', { simple: true })).toBe(nextFormat.length)
    expect(db.pragma('foreign_keys', { simple: true })).toBe(1)
    expect(db.prepare('SELECT id, colour FROM runtime_tasks').all()).toEqual([{ id: aTaskId, colour: null }])
    expect(db.prepare('SELECT count(*) FROM runtime_task_events').pluck().get()).toBe(2)
    db.close()
    const copy = join(home.folder, `cofferdam.db.v${migrations.length}`)
    expect(readdirSync(home.folder)).toEqual(['cofferdam.db', `cofferdam.db.v${migrations.length}`])
    const old = openDatabase(copy, migrations)
    expect(old.prepare('SELECT count(*) FROM runtime_task_events').pluck().get()).toBe(2)
    old.close()
  })

  it('keeps the copies of the three newest formats beside it', () => {
    fill()
    for (const format of [1, 2, 3, 4]) writeFileSync(`${home.file}.v${format}`, '')
    openDatabase(home.file, nextFormat).close()
    const kept = [3, 4, migrations.length].map((format) => `cofferdam.db.v${format}`)
    expect(new Set(readdirSync(home.folder))).toEqual(new Set(['cofferdam.db', ...kept]))
  })

  it('stays as it is when a migration fails half-way, and can be tried again', () => {
    fill()
    const broken = [...migrations, 'CREATE TABLE more (a TEXT) STRICT; INSERT INTO nowhere VALUES (1)']
    expect(() => openDatabase(home.file, broken)).toThrow(/nowhere/)
    const db = openDatabase(home.file, nextFormat)
    expect(db.prepare(`SELECT name FROM sqlite_schema WHERE name = 'more'`).all()).toEqual([])
    db.close()
  })

  it('is not migrated into one whose rows hang in the air', () => {
    fill()
    const careless = [...migrations, 'DELETE FROM runtime_tasks']
    expect(() => openDatabase(home.file, careless)).toThrow(/2 rows without a task/)
    const store = openStore(home.file)
    expect(store.task(aTaskId)).not.toBeNull()
    store[Symbol.dispose]()
  })
})

describe('what is refused', () => {
  const refused = (file: string, open: () => ReturnType<typeof openStore>): Failure => {
    const before = readFileSync(file)
    const names = readdirSync(home.folder)
    const failure = refusal(open)
    expect(failure.code).toBe('database')
    expect(failure.message).toContain(file)
    expect(failure.message).toContain('--data')
    expect(readFileSync(file).equals(before)).toBe(true)
    expect(readdirSync(home.folder)).toEqual(names)
    return failure
  }

  it('B11 a newer database, in a sentence that says so', () => {
    fill()
    openDatabase(home.file, nextFormat).close()
    const failure = refused(home.file, () => openStore(home.file))
    expect(failure.message).toContain(
      `written by a newer Cofferdam (format ${migrations.length + 1}, this one knows up to ${migrations.length})`,
    )
    expect(failure.message).toContain(`cofferdam.db.v${migrations.length}`)
  })

  it('a file that is no database', () => {
    writeFileSync(home.file, 'dear diary, '.repeat(100))
    expect(refused(home.file, () => openStore(home.file)).message).toContain('is not a database')
  })

  it('the database of another program', () => {
    const db = new Database(home.file)
    db.exec('CREATE TABLE history (url TEXT)')
    db.close()
    expect(refused(home.file, () => openStore(home.file)).message).toContain('another program')
  })

  it.each([
    ['cut short', (file: string) => truncateSync(file, 20_000)],
    ['overwritten in its schema', (file: string) => scribble(file, 100, 3_000)],
    ['overwritten in its header', (file: string) => scribble(file, 16, 30)],
  ])('a damaged one: %s', (_, damage) => {
    fill()
    writeFileSync(`${home.file}.v0`, 'an older copy')
    damage(home.file)
    const failure = refused(home.file, () => openStore(home.file))
    expect(failure.message).toMatch(/damaged|not a database/)
    expect(failure.message).toContain('(cofferdam.db.v0)')
  })

  it('one that somebody took a table from', () => {
    fill()
    const db = new Database(home.file)
    db.exec('DROP TABLE runtime_task_decisions')
    db.close()
    expect(refused(home.file, () => openStore(home.file)).message).toContain('no such table')
  })

  it.each([
    ['CREATE TRIGGER quiet AFTER INSERT ON runtime_task_events BEGIN SELECT 1; END', 'the trigger quiet'],
    ['CREATE VIEW quiet AS SELECT 1', 'the view quiet'],
  ])('one that somebody has put something into: %s', (sql, word) => {
    fill()
    const db = new Database(home.file)
    db.exec(sql)
    db.close()
    expect(refused(home.file, () => openStore(home.file)).message).toContain(word)
  })

  it('a log whose database is gone, which must not be played into a new one', () => {
    writeFileSync(`${home.file}-wal`, 'frames')
    const failure = refusal(() => openStore(home.file))
    expect(failure).toMatchObject({ code: 'database' })
    expect(failure.message).toContain('its log')
    expect(existsSync(home.file)).toBe(false)
  })

  it('a folder in its place, and a folder that is not there', () => {
    mkdirSync(home.file)
    expect(refusal(() => openStore(home.file)).code).toBe('database')
    home[Symbol.dispose]()
    expect(refusal(() => openStore(home.file)).message).toContain('--data')
  })
})

describe('a damaged row', () => {
  it.each([
    ['runtime_tasks', 'status', `'ASLEEP'`, 'status'],
    ['runtime_tasks', 'budget', `'{"steps":'`, 'no JSON'],
    ['runtime_tasks', 'budget', `'{}'`, 'budget'],
    ['runtime_tasks', 'base_commit', `'HEAD'`, 'no full commit id'],
    ['runtime_task_events', 'actor', `'[]'`, 'actor'],
  ])('%s.%s = %s is a failure that names task and column', (table, column, value, word) => {
    fill()
    const db = new Database(home.file)
    db.exec(`UPDATE ${table} SET ${column} = ${value}`)
    db.close()
    const store = openStore(home.file)
    const read = () => (table === 'runtime_tasks' ? store.task(aTaskId) : store.events(aTaskId, 0, 10))
    const failure = refusal(() => ({ close: read }))
    store[Symbol.dispose]()
    expect(failure.code).toBe('database')
    expect(failure.message).toContain(`Task ${aTaskId} is damaged`)
    expect(failure.message).toContain(`column ${column} of ${table}`)
    expect(failure.message).toContain(word)
  })
})

describe('a document', () => {
  it.each([
    ['{"allow":', 'no JSON'],
    ['{}', 'column policy of runtime_tasks'],
  ])('that is damaged (%s) is a failure that names task and column', (text, word) => {
    fill()
    const db = new Database(home.file)
    db.prepare('UPDATE documents SET json = ?').run(text)
    db.close()
    const store = openStore(home.file)
    const failure = refusal(() => ({ close: () => store.task(aTaskId) }))
    store[Symbol.dispose]()
    expect(failure.message).toContain(`Task ${aTaskId} is damaged`)
    expect(failure.message).toContain(word)
  })

  it('is stored once for all who have the same, and cannot be taken away from them', () => {
    const store = openStore(home.file)
    for (const number of [1, 2, 3]) store.write(birth(aTask({ id: aTaskIdOf(number) })))
    const db = new Database(home.file)
    expect(db.prepare('SELECT count(*) FROM documents').pluck().get()).toBe(1)
    expect(() => db.exec('DELETE FROM documents')).toThrow(/FOREIGN KEY/)
    db.close()
    store[Symbol.dispose]()
  })
})

describe('what a person changes with the sqlite3 shell', () => {
  it('is seen by the process that works on the file', () => {
    const store = openStore(home.file)
    store.write(birth(aTask()))
    expect(store.task(aTaskId)?.status).toBe('PENDING')
    const db = new Database(home.file)
    db.exec(`UPDATE runtime_tasks SET status = 'STOPPED'`)
    db.close()
    expect(store.task(aTaskId)?.status).toBe('STOPPED')
    store[Symbol.dispose]()
  })
})

function scribble(file: string, from: number, length: number): void {
  const content = readFileSync(file)
  content.fill(0xa5, from, from + length)
  writeFileSync(file, content)
}
