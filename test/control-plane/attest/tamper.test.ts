import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attestor } from '../../../control-plane/attest/attestor.ts'
import { keyPlaces, openKey } from '../../../control-plane/attest/key.ts'
import { verify } from '../../../control-plane/attest/verify.ts'
import { perform } from '../../../control-plane/gate/act.ts'
import { placeOf } from '../../../control-plane/loop/work.ts'
import { policyHash } from '../../../src/domain/policies.ts'
import type { HostPath } from '../../../src/domain/brand.ts'
import type { Task } from '../../../src/domain/task.ts'
import type { History, TaskPlace } from '../../../src/domain/worktree.ts'
import type { Verification } from '../../../src/domain/verification/verify.ts'
import { type LoopLab, loopLab } from '../../support/loop-lab.ts'
import { aRepository, git } from '../../support/repository.ts'
import { aPerson, aPolicy } from '../../support/task.ts'

// One task with a row of every kind, and somebody who may write to the database and to git, but has no key.

type Value = string | number | null
type Row = Readonly<Record<string, Value>>

let lab: LoopLab
let repo: string
let task: Task
let db: Database.Database

/** Makes something that the policy denies, waits for a person, asks for what is not allowed, and needs a second step. */
const script = `
  if [ ! -f asked ]; then
    echo x >asked
    node -e '
      const call = require("node:http").request({ host: "127.0.0.1", port: new URL(process.env.HTTPS_PROXY).port,
        method: "CONNECT", path: "denied.example.test:443" })
      call.on("connect", (answer) => { console.log(answer.statusCode); process.exit(0) })
      call.on("error", (error) => { console.log(error.message); process.exit(0) })
      call.on("response", (answer) => { console.log(answer.statusCode); process.exit(0) })
      call.end()'
    echo TASK_STATE: CONTINUE
  elif [ ! -f waited ]; then
    echo x >waited
    echo BLOCK_REASON: tell me
    echo TASK_STATE: BLOCKED
  else
    echo done >done.txt
    echo TASK_STATE: DONE
  fi`

/** `branches`: looked at anew; else as they were when they were looked at for the same task, which spares git. */
const checked = (keys: readonly string[] = [], branches = false): Promise<Verification> => {
  const worktrees = branches ? lab.worktrees : { history: historyOnce }
  return verify(
    { store: lab.deps.store, worktrees, key: lab.key, installation: 'lab' },
    task.id,
    keys,
    placeOf,
  )
}

const seen = new Map<string, Promise<History>>()
function historyOnce(place: TaskPlace): Promise<History> {
  const key = JSON.stringify(place)
  const history = seen.get(key) ?? lab.worktrees.history(place)
  seen.set(key, history)
  return history
}

beforeAll(async () => {
  lab = await loopLab()
  repo = aRepository()
  const policy = aPolicy({ egress: ['allowed.example.test'] })
  const born = await lab.birth(repo, script, {
    test: '[ ! -f done.txt ] || grep -q done done.txt',
    policy,
    policyHash: policyHash(policy),
    status: 'DRAFT',
  })
  const person = { actor: aPerson, shown: null }
  perform(lab.deps, born.id, { act: 'suggest', text: 'Mind the style' }, person)
  perform(lab.deps, born.id, { act: 'approve' }, person)
  const blocked = await lab.settled(born.id)
  if (blocked.status !== 'BLOCKED')
    throw new Error(`not blocked, but ${blocked.status}: ${blocked.halt?.text}`)
  perform(lab.deps, born.id, { act: 'resume', instruction: 'Go on', budget: null }, person)
  task = await lab.settled(born.id)
  if (task.status !== 'APPLIED') throw new Error(`not applied, but ${task.status}: ${task.halt?.text}`)
  db = new Database(lab.database)
  db.pragma('foreign_keys = OFF')
}, 60_000)
afterAll(async () => {
  db.close()
  await lab[Symbol.asyncDispose]()
})

const attestedTables = [
  'runtime_tasks',
  'runtime_task_checkpoints',
  'runtime_task_events',
  'runtime_task_decisions',
  'egress_log',
  'attestations',
] as const
type Table = (typeof attestedTables)[number] | 'documents'

const all = (table: Table): readonly Row[] => db.prepare<[], Row>(`SELECT * FROM ${table}`).all()

/** Names of a table's columns: those of its key, and all. */
function columnsOf(table: Table): { readonly key: readonly string[]; readonly all: readonly string[] } {
  const info = db.pragma(`table_info(${table})`) as readonly { readonly name: string; readonly pk: number }[]
  return { key: info.filter(({ pk }) => pk > 0).map(({ name }) => name), all: info.map(({ name }) => name) }
}

/** Whether something is found after a forgery; then all is as it was. */
async function foundAfter(forgery: () => void): Promise<boolean> {
  const kept = [...attestedTables, 'documents' as const].map((table) => [table, all(table)] as const)
  db.transaction(forgery)()
  try {
    return !(await checked()).holds
  } finally {
    db.transaction(() => {
      for (const [table, rows] of kept) {
        const names = columnsOf(table).all
        db.exec(`DELETE FROM ${table}`)
        const insert = db.prepare(`INSERT INTO ${table} VALUES (${names.map(() => '?').join(', ')})`)
        for (const row of rows) insert.run(...names.map((name) => row[name] ?? null))
      }
    })()
  }
}

const nameOf = (table: Table, row: Row): string =>
  columnsOf(table)
    .key.map((name) => row[name])
    .join('/')

/** Runs a statement on the row with this key. */
function on(table: Table, row: Row, statement: string, ...values: readonly Value[]): void {
  const { key } = columnsOf(table)
  const where = key.map((name) => `${name} = ?`).join(' AND ')
  db.prepare(`${statement} WHERE ${where}`).run(...values, ...key.map((name) => row[name]))
}

const documentColumns: ReadonlySet<string> = new Set(['policy', 'prior_failure', 'baseline', 'box'])

/** Another value of the same type, and where it is JSON, one that means the same. */
function another(table: Table, column: string, value: Value): Value {
  if (documentColumns.has(column) && table !== 'egress_log') {
    const json =
      db.prepare<[Value], string>('SELECT json FROM documents WHERE id = ?').pluck().get(value) ?? '"x"'
    return Number(db.prepare('INSERT INTO documents (json) VALUES (?)').run(`${json} `).lastInsertRowid)
  }
  if (value === null) return /_(?:at|until|up|down)$|^port$/.test(column) ? 7 : 'x'
  if (typeof value === 'number') return value + 1000
  return /^[[{]/.test(value) ? `${value} ` : `${value}x`
}

it('holds as it is, with rows of every kind', async () => {
  const { attestations, ...rest } = await checked()
  expect(rest).toEqual({ task: task.id, holds: true, findings: [], notes: [] })
  expect(attestations).toBeGreaterThan(3)
  for (const table of attestedTables) expect([table, all(table).length > 0]).toEqual([table, true])
})

describe.each(attestedTables)('%s', (table) => {
  it('every cell that is changed is found', async () => {
    const unseen: string[] = []
    for (const row of all(table)) {
      for (const column of columnsOf(table).all) {
        const change = (): void =>
          on(table, row, `UPDATE ${table} SET ${column} = ?`, another(table, column, row[column] ?? null))
        if (!(await foundAfter(change))) unseen.push(`${nameOf(table, row)} ${column}`)
      }
    }
    expect(unseen).toEqual([])
  }, 120_000)

  it('every row that is taken out is found', async () => {
    const unseen: string[] = []
    for (const row of all(table))
      if (!(await foundAfter(() => on(table, row, `DELETE FROM ${table}`)))) unseen.push(nameOf(table, row))
    expect(unseen).toEqual([])
  })
})

it('a row that is put in is found', async () => {
  const last = { runtime_task_checkpoints: 'step', runtime_task_events: 'seq', egress_log: 'id' } as const
  for (const [table, column] of Object.entries(last) as [keyof typeof last, string][]) {
    const found = await foundAfter(() => {
      const names = columnsOf(table).all.map((name) => (name === column ? `${column} + 1` : name))
      db.exec(`INSERT INTO ${table} SELECT ${names.join(', ')} FROM ${table} ORDER BY ${column} DESC LIMIT 1`)
    })
    expect([table, found]).toEqual([table, true])
  }
})

it('a document that is changed under rows that stay as they are is found', async () => {
  const unseen: unknown[] = []
  const used = new Set(
    [...all('runtime_tasks'), ...all('runtime_task_checkpoints')].flatMap((row) =>
      [...documentColumns].map((column) => row[column]).filter((id) => typeof id === 'number'),
    ),
  )
  expect(used.size).toBeGreaterThan(3)
  for (const id of used)
    if (!(await foundAfter(() => db.prepare(`UPDATE documents SET json = json || ' ' WHERE id = ?`).run(id))))
      unseen.push(id)
  expect(unseen).toEqual([])
})

describe('the chain', () => {
  it('cut short by any number of its last attestations is found', async () => {
    const { length } = all('attestations')
    for (let most = 0; most < length; most += 1)
      expect(await foundAfter(() => db.prepare('DELETE FROM attestations WHERE seq > ?').run(most))).toBe(
        true,
      )
  })

  it('with two attestations in each other’s place is found', async () => {
    const swap = 'UPDATE attestations SET seq = CASE seq WHEN 1 THEN -2 WHEN 2 THEN -1 ELSE seq END'
    expect(
      await foundAfter(() => {
        db.exec(swap)
        db.exec('UPDATE attestations SET seq = -seq WHERE seq < 0')
      }),
    ).toBe(true)
  })

  it('made anew over forged rows with another key is found', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cofferdam-forger-'))
    try {
      const key = openKey(keyPlaces(folder as HostPath, null), () => [])
      const forged = attestor({ store: lab.deps.store, key, installation: 'lab' })
      const found = await foundAfter(() => {
        db.exec(`UPDATE runtime_task_events SET text = 'All went well.' WHERE seq = 3`)
        const { n } = db.prepare<[], { n: number }>('SELECT max(seq) AS n FROM attestations').get() ?? {
          n: 0,
        }
        db.prepare('DELETE FROM attestations WHERE seq = ?').run(n)
        const { seq, body, hash, signature } = forged.closing(task)
        db.prepare('INSERT INTO attestations VALUES (?, ?, ?, ?, ?, ?)').run(
          task.id,
          seq,
          body,
          hash,
          key.id,
          signature,
        )
      })
      expect(found).toBe(true)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('is held against a key that is given, and against no other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cofferdam-forger-'))
    try {
      const pem = (key: typeof lab.key): string =>
        key.publicKey.export({ type: 'spki', format: 'pem' }).toString()
      expect((await checked([pem(lab.key)])).holds).toBe(true)
      expect((await checked([pem(openKey(keyPlaces(folder as HostPath, null), () => []))])).holds).toBe(false)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('the branch', () => {
  /** Whether something is found while the branch of a repository is elsewhere. */
  async function foundAt(gitDir: string, commit: () => string): Promise<boolean> {
    const ref = `refs/heads/${task.branch}`
    const before = git(gitDir, 'rev-parse', ref).trim()
    git(gitDir, 'update-ref', ref, commit())
    try {
      return !(await checked([], true)).holds
    } finally {
      git(gitDir, 'update-ref', ref, before)
    }
  }
  const places = (): readonly string[] => [
    repo,
    join(lab.database, '..', 'mirrors', `${task.repository.key}.git`),
  ]
  const rewritten = (gitDir: string, change: (body: string) => string): string => {
    const body = git(gitDir, 'cat-file', 'commit', task.branch)
    const file = join(mkdtempSync(join(tmpdir(), 'cofferdam-commit-')), 'commit')
    writeFileSync(file, change(body))
    return git(gitDir, 'hash-object', '-t', 'commit', '-w', file).trim()
  }

  it('moved back, in the repository or in the mirror, is found', async () => {
    for (const place of places())
      expect(await foundAt(place, () => git(place, 'rev-parse', `${task.branch}~1`).trim())).toBe(true)
  })

  it.each<[string, (body: string) => string]>([
    ['with another message', (body) => body.replace('\n\n', '\n\nBetter: ')],
    ['with another author', (body) => body.replace(/^author [^<]*/m, 'author Nobody ')],
    ['with another time', (body) => body.replace(/^committer (.*>) \d+/m, 'committer $1 1')],
    ['with another attestation', (body) => body.replace(/[0-9a-f]{64}/, 'f'.repeat(64))],
    ['without its attestation', (body) => body.replace(/\n.*[0-9a-f]{64}.*\n$/, '\n')],
    [
      'with another tree',
      (body) => body.replace(/^tree .*/, `tree ${git(repo, 'rev-parse', 'main^{tree}').trim()}`),
    ],
  ])('%s is found', async (_name, change) => {
    for (const place of places()) expect(await foundAt(place, () => rewritten(place, change))).toBe(true)
  })
})

it('is as it was after all that', async () => {
  expect((await checked([], true)).findings).toEqual([])
})
