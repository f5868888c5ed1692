import { letterSchema } from '../../src/domain/answers.ts'
import type { Millis } from '../../src/domain/brand.ts'
import {
  type Letter,
  letterStates,
  type LetterFilter,
  type NewLetter,
} from '../../src/domain/outbox/letter.ts'
import type { Connection } from './database.ts'
import { type Cell, column, json, rowsOf } from './rows.ts'

const rows = rowsOf<Letter>('outbox', letterSchema, {
  id: column('id'),
  seq: column('seq'),
  destination: column('destination'),
  taskId: column('task_id'),
  event: column('event'),
  type: column('type'),
  body: column('body'),
  state: column('state'),
  attempts: column('attempts'),
  fence: column('fence'),
  error: column('error'),
  createdAt: column('created_at'),
  nextAt: column('next_at'),
  leaseUntil: column('lease_until'),
  endedAt: column('ended_at'),
  actor: json('actor'),
})

/** Letters in the order of their destinations. Synchronous and durable as the store; several processes may use one. */
export interface OutboxRows {
  /**
   * Takes the first letter of a destination that has not ended, where its time has come or the lease of who had it is
   * over: one attempt more, a new fence, a lease of so many ms. Null where there is nothing to do at the moment.
   */
  claim(destination: string, now: Millis, leaseMs: Millis): Letter | null
  /** When the first letter of a destination that has not ended can be claimed; null where there is none. */
  dueAt(destination: string): Millis | null
  /** Writes what becomes of a letter. False, and nothing is written, where it is in another state or has another fence. */
  move(before: Letter, after: Letter): boolean
  /** Gives up all that waits for a destination. @returns how many */
  giveUp(destination: string, error: string, now: Millis): number
  letter(id: string): Letter | null
  /** Newest first. */
  letters(filter: LetterFilter): readonly Letter[]
  /** The destinations of what has not ended. */
  open(): readonly string[]
  /** How much has not arrived: what waits, since when the oldest of it does, and what was given up. */
  standing(): OutboxStanding
  /** Forgets what was sent or discarded before then. @returns how many */
  forget(before: Millis): number
}

export interface OutboxStanding {
  readonly waiting: number
  /** Null where nothing waits. */
  readonly oldestAt: Millis | null
  readonly dead: number
}

/** No pause and no lease is longer: what is later than that was written under a clock that was wrong, ms. */
const furthestMs = 48 * 3_600_000

const first = `seq = (SELECT min(seq) FROM outbox WHERE destination = @destination AND state IN ('waiting', 'sending'))`

/** The statements on `outbox`. */
export function outboxTable(db: Connection): OutboxRows & { add(letter: NewLetter): void } {
  const add = db.prepare(
    `INSERT INTO outbox (id, destination, task_id, event, type, body, state, attempts, fence, created_at, next_at)
     VALUES (@id, @destination, @taskId, @event, @type, @body, 'waiting', 0, 0, @createdAt, @createdAt)`,
  )
  const claim = db
    .prepare<[object], Cell[]>(
      `UPDATE outbox SET state = 'sending', attempts = attempts + 1, fence = fence + 1, lease_until = @now + @leaseMs
       WHERE ${first}
         AND iif(state = 'waiting', next_at, lease_until) NOT BETWEEN @now + 1 AND @now + ${furthestMs}
       RETURNING ${rows.columns.join(', ')}`,
    )
    .raw()
  const dueAt = db
    .prepare<[object], Millis>(
      `SELECT iif(state = 'waiting', next_at, lease_until) FROM outbox WHERE ${first}`,
    )
    .pluck()
  const move = db.prepare(
    `UPDATE outbox SET state = @state, attempts = @attempts, error = @error, next_at = @nextAt,
       lease_until = @leaseUntil, ended_at = @endedAt, actor = @actor
     WHERE id = @id AND state = @stateBefore AND fence = @fence`,
  )
  const giveUp = db.prepare<[string, Millis, string]>(
    `UPDATE outbox SET state = 'dead', error = ?, ended_at = ? WHERE destination = ? AND state = 'waiting'`,
  )
  const one = db.prepare<[string], Cell[]>(`${rows.select} WHERE id = ?`).raw()
  // Two, as the index of those of a task is of no use to a condition that may be left out.
  const find = (where: string) =>
    db
      .prepare<[object], Cell[]>(
        `${rows.select} WHERE ${where} seq < @before AND state IN (SELECT value FROM json_each(@states))
           AND (@destination IS NULL OR destination = @destination)
         ORDER BY seq DESC LIMIT @limit`,
      )
      .raw()
  const list = find('')
  const listOfTask = find('task_id = @task AND')
  const open = db
    .prepare<[], string>(
      `SELECT DISTINCT destination FROM outbox WHERE state IN ('waiting', 'sending') ORDER BY destination`,
    )
    .pluck()
  const waits = db.prepare<[], Pick<OutboxStanding, 'waiting' | 'oldestAt'>>(
    `SELECT count(*) AS waiting, min(created_at) AS oldestAt FROM outbox WHERE state IN ('waiting', 'sending')`,
  )
  const dead = db.prepare<[], number>(`SELECT count(*) FROM outbox WHERE state = 'dead'`).pluck()
  const forget = db.prepare<[Millis]>(
    `DELETE FROM outbox WHERE state IN ('sent', 'discarded') AND ended_at < ?`,
  )

  return {
    add(letter): void {
      add.run(letter)
    },

    claim(destination, now, leaseMs) {
      const row = claim.get({ destination, now, leaseMs })
      return row === undefined ? null : rows.fromRow(row)
    },

    dueAt: (destination) => dueAt.get({ destination }) ?? null,

    move({ id, state: stateBefore, fence }, { state, attempts, error, nextAt, leaseUntil, endedAt, actor }) {
      const cells = { state, attempts, error, nextAt, leaseUntil, endedAt, actor: actorCell(actor) }
      return move.run({ ...cells, id, stateBefore, fence }).changes === 1
    },

    giveUp: (destination, error, now) => giveUp.run(error, now, destination).changes,

    letter(id) {
      const row = one.get(id)
      return row === undefined ? null : rows.fromRow(row)
    },

    letters({ states = letterStates, destination = null, task = null, before, limit = -1 }) {
      const place = before ?? Number.MAX_SAFE_INTEGER
      const filter = { states: JSON.stringify(states), destination, task, before: place, limit }
      return (task === null ? list : listOfTask).all(filter).map((row) => rows.fromRow(row))
    },

    open: () => open.all(),

    standing: () => ({ ...(waits.get() ?? { waiting: 0, oldestAt: null }), dead: dead.get() ?? 0 }),

    forget: (before) => forget.run(before).changes,
  }
}

const actorCell = (actor: Letter['actor']): string | null => (actor === null ? null : JSON.stringify(actor))
