import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { change } from '../../support/change.ts'
import { type SearchLab, searchLab } from './lab.ts'

let lab: SearchLab
let file: string
beforeEach(() => {
  lab = searchLab()
  file = join(lab.home.folder, 'search.db')
})
afterEach(() => lab[Symbol.dispose]())

async function some(): Promise<void> {
  lab.made({ goal: 'mend the parser' }, { goal: 'mend the lexer' }, { goal: 'other' })
  expect(await lab.found('mend')).toEqual([1, 0])
}

const ends = ['', '-wal', '-shm']

describe('the index', () => {
  it('is there again after a restart, and knows what was written while it was not told', async () => {
    await some()
    const task = lab.store.tasks({}).find(({ goal }) => goal === 'other')
    if (task === undefined) throw new Error('it was made')
    // Nobody is told of this one, as when the process dies right after the transaction.
    lab.store.write(change(task, { goal: 'mend, too' }))
    lab.reopen()
    expect(await lab.found('mend')).toEqual([2, 1, 0])
  })

  it('comes by itself to a database that has none, the newest first', async () => {
    await some()
    lab.close()
    for (const end of ends) rmSync(file + end, { force: true })
    const again = searchLab(lab.home)
    expect((await again.search('mend')).hits).toHaveLength(2)
    again.close()
    lab.reopen()
  })

  it('is made within a second or two without a search', async () => {
    lab.made({ goal: 'mend it' })
    await expect.poll(() => lab.index.count(), { timeout: 10_000 }).toBe(1)
  })

  it.each([
    ['no database', () => writeFileSync(file, 'x'.repeat(10_000))],
    ['cut off', () => truncateSync(file, 6000)],
    ['the database of another', () => makeOther((db) => db.exec('CREATE TABLE t (x)'))],
    ['of another format', () => makeOther((db) => db.pragma('application_id = 1129268819'))],
    ['without its tables', () => broken('DROP TABLE texts')],
    ['with an inner table gone', () => broken('DROP TABLE tasks')],
    ['empty', () => writeFileSync(file, '')],
  ])('that is %s is made anew', async (_, damage) => {
    await some()
    lab.close()
    for (const end of ends.slice(1)) rmSync(file + end, { force: true })
    damage()
    lab.reopen()
    expect(await lab.found('mend')).toEqual([1, 0])
  })

  it('that is damaged while it is open is made anew', async () => {
    await some()
    broken(`DELETE FROM texts_data; INSERT INTO texts_data VALUES (1, x'00'), (10, x'ffffffff')`)
    // What is in memory may answer still; what is written next meets the damage.
    lab.made({ goal: 'mend more' })
    expect(await lab.found('mend')).toEqual([3, 1, 0])
  })

  it('forgets tasks that an earlier copy of the database does not have', async () => {
    lab.made({ goal: 'mend one' })
    await lab.found('mend')
    lab.close()
    const copy = `${lab.home.file}.copy`
    copyFileSync(lab.home.file, copy)
    lab.reopen()
    lab.made({ goal: 'mend two' })
    expect(await lab.found('mend')).toEqual([1, 0])
    lab.close()
    for (const end of ends.slice(1)) rmSync(lab.home.file + end, { force: true })
    copyFileSync(copy, lab.home.file)
    lab.reopen()
    expect(await lab.found('mend')).toEqual([0])
    expect(lab.index.count()).toBe(1)
  })

  it('leaves out a task that cannot be read, and has all others', async () => {
    await some()
    lab.close()
    const db = new Database(lab.home.file)
    db.exec(`UPDATE runtime_tasks SET halt = '{', version = version + 1 WHERE goal LIKE '%lexer'`)
    db.close()
    rmSync(file)
    lab.reopen()
    expect(await lab.found('mend')).toEqual([0])
    expect(lab.warnings).toEqual(['a task cannot be searched'])
  })

  it('touches nothing of the database', async () => {
    await some()
    lab.close()
    const before = readFileSync(lab.home.file)
    for (const end of ends) rmSync(file + end, { force: true })
    lab.reopen()
    await lab.found('mend')
    lab.close()
    expect(readFileSync(lab.home.file).equals(before)).toBe(true)
    expect(readdirSync(lab.home.folder).toSorted()).toEqual(['cofferdam.db', 'search.db'])
    lab.reopen()
  })

  it('that cannot be opened fails the search, with what to do, and nothing else', async () => {
    lab.close()
    for (const end of ends) rmSync(file + end, { force: true })
    mkdirSync(file)
    lab.reopen()
    lab.made({ goal: 'mend it' })
    await expect(lab.search('mend')).rejects.toThrow(/search\.db cannot be opened for writing/)
    expect(lab.store.counts().PENDING).toBe(1)
    rmSync(file, { recursive: true })
    expect(await lab.found('mend')).toEqual([0])
  })
})

function makeOther(act: (db: Database.Database) => unknown): void {
  rmSync(file)
  broken(act)
}

function broken(act: string | ((db: Database.Database) => unknown)): void {
  const db = new Database(file)
  db.unsafeMode()
  if (typeof act === 'string') db.exec(act)
  else act(db)
  db.close()
}
