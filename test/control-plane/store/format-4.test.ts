import { readFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openStore } from '../../../control-plane/store/open.ts'
import { fixedHash, parseAttestation } from '../../../src/domain/attestation.ts'
import type { TaskId } from '../../../src/domain/ids.ts'
import { checkRecord } from '../../../src/domain/verification/record.ts'
import { attesting } from '../../support/attesting.ts'
import { aTaskIdOf } from '../../support/task.ts'
import { type Home, makeHome } from './home.ts'

let home: Home
beforeEach(() => {
  home = makeHome()
  const db = new Database(home.file)
  db.exec(readFileSync(new URL('fixtures/format-4.sql', import.meta.url), 'utf8'))
  db.close()
})
afterEach(() => home[Symbol.dispose]())

/** What was attested last of a task of the fixture, held against what is on record of it now. */
function findings(id: TaskId): readonly string[] {
  using store = openStore(home.file)
  const task = store.task(id)
  const last = parseAttestation(store.attestations(id).at(-1)?.body ?? '')
  if (task === null || last === null || last.kind === 'step') throw new Error('it is there, attested whole')
  const now = last.kind === 'closing' ? store.record(id) : store.interimRecord(id)
  const fixed = last.fixed === fixedHash(task) ? [] : ['What never changes was changed.']
  return [...fixed, ...checkRecord(last, now, true).map(({ text }) => text)]
}

it('a task of format 4 is one that changes something, and what was attested of it holds', () => {
  using store = openStore(home.file)
  const tasks = [1, 2].map((n) => store.task(aTaskIdOf(n)))
  expect(tasks.map((task) => [task?.status, task?.kind, task?.answer])).toEqual([
    ['STOPPED', 'change', null],
    ['DRAFT', 'change', null],
  ])
  expect(store.tasks({ kind: 'change' })).toHaveLength(2)
  expect(store.tasks({ kind: 'question' })).toEqual([])
  expect([findings(aTaskIdOf(1)), findings(aTaskIdOf(2))]).toEqual([[], []])
  expect(() => attesting(store).changing()).not.toThrow()
})

it.each([
  ['kind', 'question', ['What never changes was changed.']],
  ['answer', 'Because.', []],
] as const)('a cell of the column %s that is filled afterwards is found', (column, value, fixed) => {
  openStore(home.file)[Symbol.dispose]()
  const db = new Database(home.file)
  db.prepare(`UPDATE runtime_tasks SET ${column} = ?`).run(value)
  db.close()
  expect([1, 2].map((n) => findings(aTaskIdOf(n)))).toEqual([
    [...fixed, `The column ${column} of its row in runtime_tasks was changed.`],
    [...fixed, 'Its row in runtime_tasks was changed.'],
  ])
})
