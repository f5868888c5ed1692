import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { accessTables } from '../../../control-plane/store/access.ts'
import { openStore } from '../../../control-plane/store/open.ts'
import { outboxTable } from '../../../control-plane/store/outbox.ts'
import { tasksTable } from '../../../control-plane/store/tasks.ts'
import { taskLists } from '../../../control-plane/store/task-lists.ts'
import type { AuditFilter } from '../../../src/domain/audit.ts'
import type { TaskFilter } from '../../../src/domain/control-plane.ts'
import { aTaskId } from '../../support/task.ts'
import { type Home, makeHome } from './home.ts'

let home: Home
let db: Database.Database
let asked: string[]
beforeEach(() => {
  home = makeHome()
  openStore(home.file)[Symbol.dispose]()
  asked = []
  db = new Database(home.file, { verbose: (sql) => asked.push(String(sql)) })
})
afterEach(() => {
  db.close()
  home[Symbol.dispose]()
})

/** How SQLite goes about what was asked last, with its values in place. */
function plan(): string {
  const steps = db.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${asked.at(-1) ?? ''}`).all()
  return steps.map(({ detail }) => detail).join('; ')
}

it('the audit log is narrowed by task, by outcome and by both', () => {
  const access = accessTables(db)
  const rest = { at: 1, actor: null, action: 'POST /v1/tasks', text: '' }
  for (const [taskId, outcome] of [
    ['a', 'allowed'],
    ['a', 'refused'],
    ['b', 'refused'],
    [null, 'refused'],
  ] as const)
    access.addAudit({ ...rest, taskId, outcome, requestId: `${taskId} ${outcome}` })
  const found = (filter: Partial<AuditFilter>): readonly string[] =>
    access.audit({ limit: 10, ...filter }).map(({ requestId }) => requestId)
  expect(found({})).toEqual(['null refused', 'b refused', 'a refused', 'a allowed'])
  expect(found({ before: 2 })).toEqual(['a allowed'])
  expect(found({ taskId: 'a' })).toEqual(['a refused', 'a allowed'])
  expect(found({ taskId: 'a', before: 2, limit: 1 })).toEqual(['a allowed'])
  expect(found({ outcome: 'refused', limit: 2 })).toEqual(['null refused', 'b refused'])
  expect(found({ taskId: 'a', outcome: 'refused' })).toEqual(['a refused'])
})

describe('lists of tasks', () => {
  it.each([
    [{}, 'runtime_tasks_by_age'],
    [{ kind: 'change' }, 'runtime_tasks_by_age'],
    [{ kind: 'question' }, 'runtime_tasks_questions'],
    [{ statuses: ['PENDING'], kind: 'change' }, 'runtime_tasks_by_status'],
    [{ repository: '/r' }, 'runtime_tasks_by_repository'],
    [{ needsPerson: true }, 'runtime_tasks_needing'],
    [{ needsPerson: false, statuses: ['APPLIED'] }, 'runtime_tasks_by_status'],
  ] satisfies [TaskFilter, string][])('%j are read in the order of %s', (filter, index) => {
    taskLists(db, () => []).tasks({ ...filter, limit: 10 })
    // One step: nothing is sorted.
    expect(plan()).toMatch(new RegExp(`^SEARCH runtime_tasks USING (COVERING )?INDEX ${index} [^;]*$`))
  })
})

it('those that need a person are counted by their index', () => {
  tasksTable(db, {} as never).needing()
  expect(plan()).toContain('USING INDEX runtime_tasks_needing')
})

describe('what is asked about one task of many', () => {
  it.each([{ taskId: aTaskId }, { taskId: aTaskId, outcome: 'refused' as const, before: 9 }])(
    'of the audit log is found by the index of tasks: %j',
    (filter) => {
      accessTables(db).audit({ ...filter, limit: 10 })
      expect(plan()).toContain('USING INDEX audit_log_by_task (task_id=?')
    },
  )

  it('of the outbox is found by the index of tasks', () => {
    outboxTable(db).letters({ task: aTaskId, states: ['dead'], limit: 10 })
    expect(plan()).toContain('USING INDEX outbox_by_task (task_id=?')
  })
})
