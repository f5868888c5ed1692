import type { Millis } from './brand.ts'

/** The tasks that were made on one day, and what they have used so far. */
export interface Day {
  /** As `2026-01-31`. */
  readonly day: string
  readonly tasks: number
  /** How many of them are APPLIED. */
  readonly applied: number
  readonly steps: number
  /** Wall time of their boxes. */
  readonly ms: Millis
  readonly tokens: number
  readonly costUsd: number
}

/** Which days are meant: the last so many, today included, by clocks that are so many minutes before UTC. */
export interface DayFilter {
  readonly days: number
  readonly offset: number
}

const dayMs = 24 * 60 * 60 * 1000

/** Days as they are counted: whole ones since 1970, by clocks that are `offsetMs` before UTC. */
export interface DaySpan {
  readonly first: number
  readonly last: number
  readonly offsetMs: Millis
  /** When the first begins. */
  readonly since: Millis
}

export function spanOf({ days, offset }: DayFilter, now: Millis): DaySpan {
  const offsetMs = offset * 60_000
  const last = Math.floor((now + offsetMs) / dayMs)
  const first = last - days + 1
  return { first, last, offsetMs, since: first * dayMs - offsetMs }
}

/** Every day of a span, oldest first, also those on which nothing was made. */
export function everyDay(
  { first, last }: DaySpan,
  made: ReadonlyMap<number, Omit<Day, 'day'>>,
): readonly Day[] {
  const nothing = { tasks: 0, applied: 0, steps: 0, ms: 0, tokens: 0, costUsd: 0 }
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const day = new Date((first + index) * dayMs).toISOString().slice(0, 10)
    return { day, ...(made.get(first + index) ?? nothing) }
  })
}
