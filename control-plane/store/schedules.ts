import type { Millis } from '../../src/domain/brand.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { occurrenceSchema, scheduleSchema } from '../../src/domain/schedule/answers.ts'
import type { Occurrence, Schedule } from '../../src/domain/schedule/schedule.ts'
import { activeStatuses } from '../../src/domain/task.ts'
import type { Connection } from './database.ts'
import { type Cell, column, flag, json, rowsOf } from './rows.ts'
import type { ScheduleChanging, ScheduledRun, ScheduleRefusal, ScheduleStore } from './store.ts'

const rows = rowsOf<Schedule>(
  'schedules',
  scheduleSchema,
  {
    name: column('name'),
    origin: column('origin'),
    enabled: flag('enabled'),
    gone: flag('gone'),
    revision: column('revision'),
    decidedTo: column('decided_to'),
    timing: json('timing'),
    missed: column('missed'),
    overlap: column('overlap'),
    autoApprove: flag('auto_approve'),
    task: json('task'),
    createdBy: json('created_by'),
    createdAt: column('created_at'),
    updatedAt: column('updated_at'),
  },
  'Schedule',
)

const runs = rowsOf<Occurrence>(
  'schedule_occurrences',
  occurrenceSchema,
  {
    schedule: column('schedule'),
    plannedAt: column('planned_at'),
    kind: column('kind'),
    state: column('state'),
    task: column('task'),
    text: column('text'),
    at: column('at'),
  },
  'A run of the schedule',
)

/** The statements on `schedules` and `schedule_occurrences`. */
export function schedulesTable(db: Connection) {
  const all = db.prepare<[], Cell[]>(`${rows.select} ORDER BY name`).raw()
  const one = db.prepare<[string], Cell[]>(`${rows.select} WHERE name = ?`).raw()
  const insert = db.prepare<Cell[]>(rows.insert)
  const remove = db.prepare<[string]>('DELETE FROM schedules WHERE name = ?')
  const advance = db.prepare<[Millis, string]>('UPDATE schedules SET decided_to = ? WHERE name = ?')
  const skip = db.prepare(
    `UPDATE schedule_occurrences SET state = 'skipped', text = @text, at = @at
     WHERE schedule = @name AND state = 'waiting'`,
  )
  const runAt = db
    .prepare<[string, Millis], Cell[]>(`${runs.select} WHERE schedule = ? AND planned_at = ?`)
    .raw()
  const put = db.prepare<Cell[]>(
    `${runs.insert} ON CONFLICT (schedule, planned_at)
     DO UPDATE SET state = excluded.state, task = excluded.task, text = excluded.text, at = excluded.at`,
  )
  const listed = db
    .prepare<[string, Millis, number], Cell[]>(
      `${runs.select} WHERE schedule = ? AND planned_at < ? ORDER BY planned_at DESC LIMIT ?`,
    )
    .raw()
  const waiting = db
    .prepare<[string], Cell[]>(`${runs.select} WHERE schedule = ? AND state = 'waiting' ORDER BY planned_at`)
    .raw()
  const ofTask = db.prepare<[TaskId], Cell[]>(`${runs.select} WHERE task = ?`).raw()
  // Those that are not settled, as `isSettled` has it: they are few, whatever a schedule has made.
  const underWay = db
    .prepare<[string], TaskId>(
      `SELECT tasks.id FROM (
         SELECT id FROM runtime_tasks WHERE status IN (${activeStatuses.map((status) => `'${status}'`).join(', ')})
         UNION SELECT id FROM runtime_tasks WHERE phase = 'salvage'
         UNION SELECT id FROM runtime_tasks WHERE delivery = 'delivering') AS tasks
       JOIN schedule_occurrences ON schedule_occurrences.task = tasks.id
       WHERE schedule_occurrences.schedule = ? ORDER BY planned_at LIMIT 1`,
    )
    .pluck()

  const end = db.prepare<[Millis]>(
    `DELETE FROM schedule_occurrences WHERE at < ? AND state NOT IN ('waiting', 'made')`,
  )

  const schedule = (name: string): Schedule | null => {
    const row = one.get(name)
    return row === undefined ? null : rows.fromRow(row)
  }
  const occurrence = (row: Cell[] | undefined): Occurrence | null =>
    row === undefined ? null : runs.fromRow(row)

  /** To be asked inside the transaction that decides. */
  const refusal = ({ occurrence: run, revision, alone }: ScheduledRun): ScheduleRefusal | null => {
    if (schedule(run.schedule)?.revision !== revision) return 'schedule'
    const there = occurrence(runAt.get(run.schedule, run.plannedAt))
    if (there !== null && there.state !== 'waiting') return 'decided'
    return alone && underWay.get(run.schedule) !== undefined ? 'overlap' : null
  }
  /** After `refusal` had nothing against it, in the same transaction. */
  const decide = ({ occurrence: run }: ScheduledRun): void => {
    put.run(...runs.toRow(run))
    if (run.kind === 'planned' && (schedule(run.schedule)?.decidedTo ?? 0) < run.plannedAt)
      advance.run(run.plannedAt, run.schedule)
  }
  const settle = db.transaction((run: ScheduledRun): ScheduleRefusal | null => {
    const refused = refusal(run)
    if (refused === null) decide(run)
    return refused
  })
  const change = db.transaction(({ before, after, skipWaiting }: ScheduleChanging): boolean => {
    const { name } = after
    const now = schedule(name)
    if (now?.revision !== before?.revision) return false
    remove.run(name)
    insert.run(...rows.toRow(after))
    if (skipWaiting !== undefined) skip.run({ name, ...skipWaiting })
    return true
  })
  const decidedTo = db.transaction((name: string, revision: number, to: Millis): void => {
    if (schedule(name)?.revision === revision) advance.run(to, name)
  })

  return {
    refusal,
    decide,
    all: () => all.all().map((row) => rows.fromRow(row)),
    schedule,
    change: (changing) => change.immediate(changing),
    settle: (run) => settle.immediate(run),
    decidedTo: (name, revision, to) => decidedTo.immediate(name, revision, to),
    occurrences: (name, before, limit) =>
      listed.all(name, before ?? Number.MAX_SAFE_INTEGER, limit).map((row) => runs.fromRow(row)),
    last: (name) => occurrence(listed.get(name, Number.MAX_SAFE_INTEGER, 1)),
    waiting: (name) => waiting.all(name).map((row) => runs.fromRow(row)),
    occurrenceOf: (task) => occurrence(ofTask.get(task)),
    underWay: (name) => underWay.get(name) ?? null,
    endOccurrences: (before) => void end.run(before),
  } satisfies ScheduleStore & {
    refusal: (run: ScheduledRun) => ScheduleRefusal | null
    decide: (run: ScheduledRun) => void
  }
}
