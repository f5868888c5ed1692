import Database from 'better-sqlite3'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { LogPlayer } from '../../../control-plane/store/log-player.ts'

let folder: string
let file: string
let db: Database.Database
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofferdam-log-'))
  file = join(folder, 'some.db')
  db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.pragma('wal_autocheckpoint = 0')
  db.exec('CREATE TABLE words (word TEXT)')
})
afterEach(() => {
  db.close()
  rmSync(folder, { recursive: true, force: true })
})

function write(count: number): void {
  const put = db.prepare(`INSERT INTO words VALUES ('${'word'.repeat(200)}')`)
  db.transaction(() => {
    for (let index = 0; index < count; index += 1) put.run()
  })()
}

/** What is in the file by itself, without its log. */
function inFile(): number {
  const copy = join(folder, 'copy.db')
  copyFileSync(file, copy)
  using alone = disposable(new Database(copy))
  const table = alone.db.prepare(`SELECT count(*) FROM sqlite_schema WHERE name = 'words'`).pluck().get()
  return table === 0 ? 0 : Number(alone.db.prepare('SELECT count(*) FROM words').pluck().get())
}

function disposable(opened: Database.Database): Disposable & { readonly db: Database.Database } {
  return { db: opened, [Symbol.dispose]: () => opened.close() }
}

const patience = { timeout: 20_000, interval: 100 }

it('plays the log into the file again and again, while the connection that writes is open', async () => {
  using _ = new LogPlayer(db, file)
  write(3000)
  await expect.poll(inFile, patience).toBe(3000)
  write(2000)
  await expect.poll(inFile, patience).toBe(5000)
})

it('leaves a log of a few rows to the connection that writes', async () => {
  using _ = new LogPlayer(db, file)
  write(10)
  await new Promise((resolve) => setTimeout(resolve, 2500))
  expect(inFile()).toBe(0)
})

it('loses nothing where it is ended in the middle', async () => {
  for (let round = 1; round <= 3; round += 1) {
    using player = new LogPlayer(db, file)
    write(5000)
    await new Promise((resolve) => setTimeout(resolve, 950 + 40 * round))
    player[Symbol.dispose]()
    db.close()
    db = new Database(file)
    expect(db.prepare('SELECT count(*) FROM words').pluck().get()).toBe(5000 * round)
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
  }
})
