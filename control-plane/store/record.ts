import { createHash } from 'node:crypto'
import {
  chained,
  type EgressMark,
  type EventMark,
  type Hash,
  type SurfaceMark,
  type TaskRecord,
  wholeRow,
} from '../../src/domain/attestation.ts'
import { sha256 } from '../../src/domain/canonical-json.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Connection } from './database.ts'
import type { Cell } from './rows.ts'

/**
 * What version 1 of an attestation covers: cells as they lie in the file, whatever they mean. The lists are written out,
 * so that a column of a later format does not change what was attested before it by itself; it may be added at the end, as
 * long as it is null in the rows of before. A migration that rewrites one of these
 * cells makes every task that was attested fail its verification. `session` is written no more: a task's conversation is
 * that of its checkpoints.
 */
const attestedColumns = {
  runtime_tasks: `id status phase halt version revision fence lease_until goal request repository_path repository_key
    base_ref base_commit head branch agent setup test policy policy_hash budget spent_steps spent_ms spent_tokens
    spent_cost step attempt violations losses instruction prior_failure baseline setup_key session progress risks
    outcome delivery parent_task_id created_by created_at updated_at marks kind answer merge pull`,
  runtime_task_checkpoints: `task_id step attempt fence state box boxes charged instruction agent violations candidate
    test commit_id started_at ended_at`,
  runtime_task_events: `task_id seq at type actor from_status to_status step attempt fence text data`,
  runtime_task_decisions: `id task_id revision actions opened_at expires_at closed_at used_action used_by text`,
  egress_log: `task_id box id at kind host port method path verdict rule text address bytes_up bytes_down`,
} as const

type Table = keyof typeof attestedColumns

/** Columns that name a document: its text is covered too. */
const documents: ReadonlySet<string> = new Set(['policy', 'prior_failure', 'baseline', 'box'])

/** What heartbeats write, without an event. */
const beatColumns: ReadonlySet<string> = new Set([
  'lease_until',
  'spent_ms',
  'spent_tokens',
  'spent_cost',
  'charged',
])

const columnsOf = (table: Table): readonly string[] => attestedColumns[table].split(/\s+/)
const interimColumnsOf = (table: Table): readonly string[] =>
  columnsOf(table).filter((name) => !beatColumns.has(name))

/** The cells of a table, each document beside its id. */
function cellsOf(table: Exclude<Table, 'egress_log'>, columns = columnsOf(table)): string {
  return columns
    .map((name) =>
      documents.has(name)
        ? `json_array(${name}, (SELECT json FROM documents WHERE documents.id = ${name}))`
        : name,
    )
    .join(', ')
}

/** Reads what is on record about a task for those who attest or check it: hashes of rows, none of them parsed. */
export function recordReader(db: Connection) {
  const read = (sql: string) => db.prepare<[TaskId], Cell[]>(sql).raw()
  const taskRow = (
    columns: readonly string[],
    hashes: (columns: readonly string[], cells: readonly Cell[]) => TaskRecord['task'],
  ) => {
    const row = read(`SELECT ${cellsOf('runtime_tasks', columns)} FROM runtime_tasks WHERE id = ?`)
    return (id: TaskId): TaskRecord['task'] => {
      const task = row.get(id)
      return task === undefined ? null : hashes(columns, task)
    }
  }
  const checkpointRows = (columns: readonly string[], where: string) => {
    const all = read(
      `SELECT ${cellsOf('runtime_task_checkpoints', columns)} FROM runtime_task_checkpoints WHERE task_id = ? ${where}
       ORDER BY step, attempt`,
    )
    return (id: TaskId): TaskRecord['checkpoints'] =>
      all.all(id).map((cells) => ({ step: Number(cells[1]), attempt: Number(cells[2]), hash: hashOf(cells) }))
  }
  const task = taskRow(columnsOf('runtime_tasks'), hashesOf)
  // At every event: a hash for each of forty columns would be three quarters of what is written.
  const interimTask = taskRow(interimColumnsOf('runtime_tasks'), (_, cells) => ({
    [wholeRow]: rowHashOf(cells),
  }))
  const checkpoints = checkpointRows(columnsOf('runtime_task_checkpoints'), '')
  const interimCheckpoints = checkpointRows(
    interimColumnsOf('runtime_task_checkpoints'),
    // What earlier steps came to is attested already, and read at every event it would cost more with every step.
    'AND (step = 0 OR step >= (SELECT step FROM runtime_tasks WHERE id = task_id))',
  )
  const decisions = read(
    `SELECT ${cellsOf('runtime_task_decisions')} FROM runtime_task_decisions WHERE task_id = ? ORDER BY id`,
  )
  const events = db
    .prepare<[TaskId, number], Cell[]>(
      `SELECT ${cellsOf('runtime_task_events')} FROM runtime_task_events WHERE task_id = ? AND seq > ? ORDER BY seq`,
    )
    .raw()
  const egressBoxes = db
    .prepare<[TaskId], string>('SELECT DISTINCT box FROM egress_log WHERE task_id = ? ORDER BY box')
    .pluck()
  const egress = db
    .prepare<[TaskId, string], Cell[]>(
      `SELECT ${columnsOf('egress_log').join(', ')} FROM egress_log WHERE task_id = ? AND box = ? ORDER BY id`,
    )
    .raw()

  /** One by one: a box that floods leaves many rows. */
  const egressMark = (id: TaskId, box: string): EgressMark => {
    const hash = createHash('sha256')
    let rows = 0
    for (const cells of egress.iterate(id, box)) {
      hash.update(`${JSON.stringify(cells)}\n`)
      rows += 1
    }
    return { box, rows, hash: hash.digest('hex') }
  }

  return {
    record: (id: TaskId): TaskRecord => ({
      task: task(id),
      checkpoints: checkpoints(id),
      decisions: decisions.all(id).map(surfaceMark),
      egress: egressBoxes.all(id).map((box) => egressMark(id, box)),
    }),

    interimRecord: (id: TaskId): TaskRecord => ({
      task: interimTask(id),
      checkpoints: interimCheckpoints(id),
      decisions: decisions.all(id).map(surfaceMark),
      egress: [],
    }),

    /** Of these boxes, those that have rows. */
    egressMarks: (id: TaskId, boxes: readonly string[]): readonly EgressMark[] =>
      boxes.map((box) => egressMark(id, box)).filter(({ rows }) => rows > 0),

    /** The chain over a task's events, one mark for each after `from`. */
    eventMarks(id: TaskId, from: EventMark): readonly EventMark[] {
      const marks: EventMark[] = []
      let { chain } = from
      for (const cells of events.iterate(id, from.upTo)) {
        chain = chained(chain, cells)
        marks.push({ upTo: Number(cells[1]), chain })
      }
      return marks
    },
  }
}

function surfaceMark(cells: readonly Cell[]): SurfaceMark {
  const closedAt = columnsOf('runtime_task_decisions').indexOf('closed_at')
  return {
    id: String(cells[0]),
    open: cells[closedAt] === null,
    offer: hashOf(cells.slice(0, closedAt)),
    hash: hashOf(cells),
  }
}

function hashOf(cells: readonly Cell[]): Hash {
  return sha256(JSON.stringify(cells))
}

/** Of a whole row. A column that is added later at its end, and empty, does not change it. */
function rowHashOf(cells: readonly Cell[]): Hash {
  return hashOf(cells.slice(0, cells.findLastIndex((cell) => cell !== null) + 1))
}

function hashesOf(columns: readonly string[], cells: readonly Cell[]): Readonly<Record<string, Hash>> {
  return Object.fromEntries(columns.map((name, index) => [name, hashOf([cells[index] ?? null])]))
}
