import Database from 'better-sqlite3'
import { createHash } from 'node:crypto'
import type { TaskId } from '../../src/domain/ids.ts'

/** A task as it lies in the file, read past the store. */
export interface TaskRow {
  readonly id: TaskId
  readonly kind: string | null
  readonly status: string
  readonly phase: string | null
  readonly halt: string | null
  readonly version: number
  readonly revision: number
  readonly fence: number
  readonly budget: string
  readonly step: number
  readonly spent_steps: number
  readonly spent_ms: number
  readonly spent_tokens: number
  readonly base_commit: string
  readonly head: string
  readonly branch: string
  readonly outcome: string | null
  readonly marks: string | null
  readonly delivery: string
  readonly merge: string | null
  readonly pull: string | null
  readonly answer: string | null
  readonly created_by: string
  readonly updated_at: number
}

export interface EventRow {
  readonly seq: number
  readonly at: number
  readonly type: string
  readonly actor: string
  readonly from_status: string | null
  readonly to_status: string
  readonly step: number
  readonly fence: number
  readonly text: string
  readonly data: string
}

export interface AttemptRow {
  readonly step: number
  readonly attempt: number
  readonly state: string
  readonly violations: string
  readonly commit_id: string | null
  readonly passed: number | null
  /** Of its last box. */
  readonly kind: string | null
}

export interface SurfaceRow {
  readonly id: string
  readonly revision: number
  readonly expires_at: number
  readonly closed_at: number | null
  readonly used_action: string | null
  readonly used_by: string | null
}

export interface LetterRow {
  readonly id: string
  readonly seq: number
  readonly destination: string
  readonly event: number
  readonly type: string
  readonly state: string
  readonly error: string | null
  readonly ended_at: number | null
}

export interface RunRow {
  readonly schedule: string
  readonly planned_at: number
  readonly state: string
}

/** All that there is of a task. */
export interface View {
  readonly task: TaskRow
  readonly events: readonly EventRow[]
  readonly attempts: readonly AttemptRow[]
  readonly surfaces: readonly SurfaceRow[]
  readonly letters: readonly LetterRow[]
  /** The run of a schedule that it is; null where it is none. */
  readonly run: RunRow | null
}

/** Reads the file of a history by a connection of its own. */
export class Reader {
  readonly #db: Database.Database
  readonly #task: Database.Statement<[TaskId], TaskRow>
  readonly #events: Database.Statement<[TaskId, number], EventRow>
  readonly #attempts: Database.Statement<[TaskId], AttemptRow>
  readonly #surfaces: Database.Statement<[TaskId], SurfaceRow>
  readonly #letters: Database.Statement<[TaskId], LetterRow>
  readonly #run: Database.Statement<[TaskId], RunRow>
  readonly #openLetters: Database.Statement<[string], LetterRow>
  readonly #allLetters: Database.Statement<[], LetterRow>
  readonly #tables: readonly string[]
  readonly #ids: Database.Statement<[], { readonly id: TaskId }>

  constructor(file: string) {
    this.#db = new Database(file, { readonly: true })
    this.#task = this.#db.prepare('SELECT * FROM runtime_tasks WHERE id = ?')
    this.#events = this.#db.prepare(
      'SELECT * FROM runtime_task_events WHERE task_id = ? AND seq > ? ORDER BY seq',
    )
    this.#attempts = this.#db.prepare(
      `SELECT step, attempt, state, violations, commit_id, test ->> 'passed' AS passed,
         (SELECT json ->> 'kind' FROM documents WHERE documents.id = box) AS kind
       FROM runtime_task_checkpoints WHERE task_id = ? ORDER BY step, attempt`,
    )
    this.#surfaces = this.#db.prepare('SELECT * FROM runtime_task_decisions WHERE task_id = ? ORDER BY rowid')
    this.#letters = this.#db.prepare('SELECT * FROM outbox WHERE task_id = ? ORDER BY seq')
    this.#run = this.#db.prepare(
      'SELECT schedule, planned_at, state FROM schedule_occurrences WHERE task = ?',
    )
    this.#openLetters = this.#db.prepare(
      `SELECT * FROM outbox WHERE destination = ? AND state IN ('waiting', 'sending') ORDER BY seq`,
    )
    this.#allLetters = this.#db.prepare('SELECT * FROM outbox ORDER BY seq')
    this.#tables = this.#db
      .prepare<[], string>(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
      .pluck()
      .all()
    this.#ids = this.#db.prepare('SELECT id FROM runtime_tasks ORDER BY created_at, id')
  }

  /** @param before how it was, where that is known: events stay as they are, and are not read again */
  view(id: TaskId, before: View | null = null): View | null {
    const task = this.#task.get(id)
    if (task === undefined) return null
    const known = before?.events ?? []
    return {
      task,
      events: [...known, ...this.#events.all(id, known.at(-1)?.seq ?? 0)],
      attempts: this.#attempts.all(id),
      surfaces: this.#surfaces.all(id),
      letters: this.#letters.all(id),
      run: this.#run.get(id) ?? null,
    }
  }

  /** What has not ended, in its order. */
  openLetters(destination: string): readonly LetterRow[] {
    return this.#openLetters.all(destination)
  }

  letters(): readonly LetterRow[] {
    return this.#allLetters.all()
  }

  tables(): readonly string[] {
    return this.#tables
  }

  /** Of every row of every table. */
  digest(): string {
    const hash = createHash('sha256')
    for (const table of this.#tables)
      hash.update(JSON.stringify([table, this.#db.prepare(`SELECT * FROM "${table}"`).raw().all()]))
    return hash.digest('hex')
  }

  ids(): readonly TaskId[] {
    return this.#ids.all().map(({ id }) => id)
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }
}
