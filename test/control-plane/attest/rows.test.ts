import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attestedTables, documentColumns, type Forger, forgerOf, type Value } from './forger.ts'
import { type WholeTask, wholeTask } from './whole-task.ts'

let whole: WholeTask
let forger: Forger
beforeAll(async () => {
  whole = await wholeTask()
  forger = forgerOf(whole)
}, 60_000)
afterAll(async () => {
  forger[Symbol.dispose]()
  await whole[Symbol.asyncDispose]()
})

it('a task holds whenever it rests', () => {
  expect(whole.rests).toEqual(['BLOCKED', 'STOPPED', 'TIMEOUT', 'APPLIED'])
})

it('a task holds in the end, with rows of every kind', async () => {
  const { store } = whole.lab.deps
  const { id } = whole.task
  expect(await whole.check()).toEqual({ task: id, attestations: 10, holds: true, findings: [], notes: [] })
  const rows = store.checkpoints(id)
  const outcomes = rows.map(
    ({ state, violations, test }) => `${state} ${violations.length} ${test?.passed ?? '-'}`,
  )
  expect(new Set(outcomes)).toEqual(new Set(['kept 0 true', 'kept 0 -', 'partial 0 -', 'dropped 1 -']))
  for (const table of attestedTables) expect([table, forger.all(table).length > 0]).toEqual([table, true])
})

/** Another value of the same type, and where it is JSON, one that means the same. */
function another(column: string, value: Value): Value {
  if (documentColumns.has(column)) {
    const json = forger.db.prepare<[Value], string>('SELECT json FROM documents WHERE id = ?').pluck()
    const copy = forger.db.prepare('INSERT INTO documents (json) VALUES (?)')
    return Number(copy.run(json.get(value) ?? '"x"').lastInsertRowid)
  }
  if (value === null) return /_(?:at|until|up|down)$|^port$/.test(column) ? 7 : 'x'
  if (typeof value === 'number') return value + 1000
  return /^[[{]/.test(value) ? `${value} ` : `${value}x`
}

describe.each(attestedTables)('%s', (table) => {
  it.each([
    ['another value', another],
    ['null', () => null],
  ] as const)(
    'every cell that is changed to %s is found',
    async (_, valueFor) => {
      const unseen: string[] = []
      let changed = 0
      for (const row of forger.all(table)) {
        for (const column of forger.columns(table).all) {
          const value = row[column] ?? null
          if (value === null && valueFor !== another) continue
          // The name of a box is a column too.
          const asText = table === 'egress_log' && column === 'box' && valueFor === another
          const change = (): void => {
            const next = asText ? `${value}x` : valueFor(column, value)
            forger.on(table, row, `UPDATE ${table} SET ${column} = ?`, next)
          }
          changed += 1
          if (!(await forger.foundAfter(change))) unseen.push(`${forger.nameOf(table, row)} ${column}`)
        }
      }
      expect(changed).toBeGreaterThan(5)
      expect(unseen).toEqual([])
    },
    300_000,
  )

  it('every row that is taken out is found', async () => {
    const unseen: string[] = []
    for (const row of forger.all(table)) {
      const take = (): void => forger.on(table, row, `DELETE FROM ${table}`)
      if (!(await forger.foundAfter(take))) unseen.push(forger.nameOf(table, row))
    }
    expect(unseen).toEqual([])
  }, 60_000)

  it('rows that change places are found', async () => {
    const { key, all } = forger.columns(table)
    const rows = forger.all(table)
    const unseen: string[] = []
    for (const [index, next] of rows.entries()) {
      const row = rows[index - 1]
      if (row === undefined) continue
      const rest = all.filter((name) => !key.includes(name))
      const set = `UPDATE ${table} SET ${rest.map((name) => `${name} = ?`).join(', ')}`
      const swap = (): void => {
        for (const [place, content] of [
          [row, next],
          [next, row],
        ] as const)
          forger.on(table, place, set, ...rest.map((name) => content[name] ?? null))
      }
      if (!(await forger.foundAfter(swap))) unseen.push(forger.nameOf(table, row))
    }
    expect(unseen).toEqual([])
  }, 60_000)
})

it.each([
  ['runtime_task_checkpoints', 'attempt', '+ 7'],
  ['runtime_task_events', 'seq', '+ 1'],
  ['runtime_task_events', 'seq', '- 1000'],
  ['runtime_task_events', 'seq', '* 0'],
  ['runtime_task_decisions', 'id', `|| 'x'`],
  ['egress_log', 'id', '+ 1'],
  ['egress_log', 'box', `|| 'x'`],
  ['attestations', 'seq', '+ 1'],
] as const)('a row that is put into %s, with another %s, is found', async (table, column, change) => {
  const names = forger.columns(table).all
  const cells = names.map((name) => (name === column ? `${column} ${change}` : name))
  const last = names.slice(0, 3).map((name) => `${name} DESC`)
  const found = await forger.after(() =>
    forger.db.exec(
      `INSERT INTO ${table} SELECT ${cells.join(', ')} FROM ${table} ORDER BY ${last.join(', ')} LIMIT 1`,
    ),
  )
  expect(found).toMatchObject({ holds: false })
})

it('a document that is changed under rows that stay as they are is found', async () => {
  const named = [...forger.all('runtime_tasks'), ...forger.all('runtime_task_checkpoints')].flatMap((row) =>
    [...documentColumns].map((column) => row[column]).filter((id) => typeof id === 'number'),
  )
  const used = new Set(named)
  expect(used.size).toBeGreaterThan(5)
  const unseen: unknown[] = []
  const change = forger.db.prepare(`UPDATE documents SET json = json || ' ' WHERE id = ?`)
  for (const id of used) if (!(await forger.foundAfter(() => void change.run(id)))) unseen.push(id)
  expect(unseen).toEqual([])
})

it('what is found says where', async () => {
  const set = (sql: string) => () => void forger.db.exec(sql)
  const where = async (sql: string) => (await forger.after(set(sql)))?.findings.map((each) => each.where)
  expect(await where('UPDATE runtime_tasks SET spent_ms = 1')).toEqual(['task'])
  expect(await where(`UPDATE runtime_task_events SET text = 'x' WHERE seq = 20`)).toEqual(['events'])
  expect(await where(`UPDATE egress_log SET rule = 'x' WHERE id = 1`)).toEqual([
    expect.stringMatching(/^egress of box /),
    expect.stringMatching(/^egress of box /),
  ])
  const test = `test = replace(test, '"passed":true', '"passed":false')`
  expect(await where(`UPDATE runtime_task_checkpoints SET ${test} WHERE step = 2`)).toContain(
    'step 2, attempt 1',
  )
})

it('is as it was after all that', async () => {
  expect((await whole.check({ fresh: true })).findings).toEqual([])
})
