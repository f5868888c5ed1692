import type { Day, DaySpan } from '../../src/domain/day.ts'
import type { Connection } from './database.ts'

/** What was made on each day that anything was made on, by its number since 1970. */
export type DaySums = ReadonlyMap<number, Omit<Day, 'day'>>

/** Sums over `runtime_tasks`; they cost what those days hold, by the index in the order of births. */
export function dayReader(db: Connection): (span: DaySpan) => DaySums {
  const sums = db.prepare<[number, number], Omit<Day, 'day'> & { readonly number: number }>(
    `SELECT CAST((created_at + ?) / 86400000 AS INTEGER) AS number, count(*) AS tasks, sum(status = 'APPLIED') AS applied,
       sum(spent_steps) AS steps, sum(spent_ms) AS ms, sum(spent_tokens) AS tokens, sum(spent_cost) AS costUsd
     FROM runtime_tasks WHERE created_at >= ? GROUP BY number`,
  )
  return ({ offsetMs, since }) =>
    new Map(sums.all(offsetMs, since).map(({ number, ...day }) => [number, day]))
}
