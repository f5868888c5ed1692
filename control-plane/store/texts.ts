import { z } from 'zod'
import type { Millis } from '../../src/domain/brand.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Kind, Piece } from '../../src/domain/search/piece.ts'
import type { Connection } from './database.ts'

/** All that a person may remember a task by. */
export interface TaskTexts {
  readonly version: number
  readonly createdAt: Millis
  readonly status: string
  readonly repository: string
  /** Of each kind the newest first. */
  readonly pieces: readonly Piece[]
}

/** A task in the order of their births, with the version that it has. */
export interface TaskVersion {
  readonly id: TaskId
  readonly createdAt: Millis
  readonly version: number
}

const text = z.string().nullable()
const taskSchema = z.object({
  version: z.number(),
  createdAt: z.number(),
  status: z.string(),
  repository: z.string(),
  goal: z.string(),
  instruction: text,
  names: z.string(),
  halt: text,
  risks: text,
  failure: text,
})
const eventSchema = z.object({ step: z.number(), person: z.number(), text: z.string() })
const stepSchema = z.object({
  step: z.number(),
  instruction: text,
  names: text,
  agent: text,
  output: text,
})

/** Of more events than this the oldest are not read. */
const mostEvents = 2000

const lines = (parts: readonly string[]): string => `concat_ws(char(10), ${parts.join(', ')})`
const each = (json: string, path: string, value: string): string =>
  `(SELECT group_concat(${value}, char(10)) FROM json_each(${json}, '${path}'))`
const document = (column: string): string =>
  `(SELECT json ->> '$' FROM documents WHERE documents.id = ${column})`

/** Reads tasks for the search: only what is searched, and none of it parsed as what it is. */
export function textsReader(db: Connection) {
  const task = db.prepare<[TaskId]>(
    `SELECT version, created_at AS createdAt, status, repository_path AS repository, instruction,
       ${lines(['goal', 'request'])} AS goal,
       ${lines(['id', 'repository_path', 'branch', 'base_ref', 'base_commit', 'head', 'setup', 'test', `created_by ->> '$.id'`, `agent ->> '$.name'`, each('agent', '$.argv', 'value')])} AS names,
       halt ->> '$.text' AS halt, ${each('risks', '$', `value ->> '$.text'`)} AS risks,
       ${lines([document('prior_failure'), document('baseline')])} AS failure
     FROM runtime_tasks WHERE id = ?`,
  )
  const events = db.prepare<[TaskId]>(
    `SELECT step, actor ->> '$.kind' <> 'system' AND type <> 'submitted' AS person, text
     FROM runtime_task_events WHERE task_id = ? ORDER BY seq DESC LIMIT ${mostEvents}`,
  )
  const steps = db.prepare<[TaskId]>(
    `SELECT step, instruction, test ->> '$.tail' AS output,
       ${lines([each('candidate', '$.paths', 'value'), each('candidate', '$.leftOut', `value ->> '$.path'`), each('violations', '$', `value ->> '$.path'`), 'commit_id'])} AS names,
       ${lines([`agent ->> '$.text'`, `agent ->> '$.marker.blockReason'`, `agent ->> '$.failure'`])} AS agent
     FROM runtime_task_checkpoints WHERE task_id = ? ORDER BY step DESC, attempt DESC`,
  )
  const versions = db.prepare<[Millis, string, number], TaskVersion>(
    `SELECT id, created_at AS createdAt, version FROM runtime_tasks WHERE (created_at, id) < (?, ?)
     ORDER BY created_at DESC, id DESC LIMIT ?`,
  )

  return {
    texts(id: TaskId): TaskTexts | null {
      const row = task.get(id)
      if (row === undefined) return null
      const { version, createdAt, status, repository, ...own } = taskSchema.parse(row)
      const pieces = [
        ...piece('goal', null, own.goal),
        ...piece('people', null, own.instruction),
        ...piece('names', null, own.names),
        ...piece('events', null, own.halt),
        ...piece('events', null, own.risks),
        ...eventPieces(events.all(id)),
        ...stepPieces(steps.all(id)),
        ...piece('output', null, own.failure),
      ]
      return { version, createdAt, status, repository, pieces }
    },

    versions: (after: Pick<TaskVersion, 'createdAt' | 'id'> | null, limit: number): readonly TaskVersion[] =>
      versions.all(after?.createdAt ?? Number.MAX_SAFE_INTEGER, after?.id ?? '', limit),
  }
}

function eventPieces(rows: readonly unknown[]): readonly Piece[] {
  return rows.flatMap((row) => {
    const { person, step, text } = eventSchema.parse(row)
    return piece(person === 1 ? 'people' : 'events', step, text)
  })
}

function stepPieces(rows: readonly unknown[]): readonly Piece[] {
  return rows.flatMap((row) => {
    const { step, instruction, names, agent, output } = stepSchema.parse(row)
    return [
      ...piece('people', step, instruction),
      ...piece('names', step, names),
      ...piece('agent', step, agent),
      ...piece('output', step, output),
    ]
  })
}

function piece(kind: Kind, step: number | null, text: string | null): readonly Piece[] {
  return text === null || text === '' ? [] : [{ kind, step: step === 0 ? null : step, text }]
}
