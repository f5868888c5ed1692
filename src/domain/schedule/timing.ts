import { Cron } from 'croner'
import type { Millis } from '../brand.ts'
import { Failure } from '../failure.ts'
import type { Timing } from './schedule.ts'

/** A timing that is well written and cannot be kept: a pattern that fits no day, a time zone that there is not. */
export class Unschedulable extends Failure {
  constructor(message: string) {
    super('bad_request', message)
  }
}

const units: Readonly<Record<string, Millis>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }
/** The longest interval. */
const mostMs = 366 * 86_400_000

/** How long `30m`, `6h`, `2d` are, ms. */
function lengthOf(every: string): Millis {
  const [, count, unit = ''] = /^(\d{1,6})([mhd])$/.exec(every) ?? []
  return Number(count ?? 0) * (units[unit] ?? 0)
}

/** Why runs cannot be planned so; null where they can. */
export function timingProblem(timing: Timing, now: Millis): string | null {
  if (timing.kind === 'every') {
    const length = lengthOf(timing.every)
    if (length >= 60_000 && length <= mostMs) return null
    return `"${timing.every}" is no interval: give one from 1m to 366d, such as 30m, 6h or 2d.`
  }
  if (!isZone(timing.timezone))
    return `There is no time zone "${timing.timezone}": give an IANA name such as Europe/Berlin, or UTC.`
  try {
    if (nextAfter(timing, now) !== null) return null
    return `The cron pattern "${timing.cron}" fits no day: no run would ever come.`
  } catch {
    return (
      `The cron pattern "${timing.cron}" cannot be read: give minute, hour, day, month and weekday, such as ` +
      '"30 2 * * 1-5", or a name such as @daily.'
    )
  }
}

/** Only names: what is written as an offset has no summer. */
function isZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/**
 * The first planned time after this one, ms; null where none comes. By a cron pattern each local time comes once: one that
 * a clock set back shows twice is taken once, and one that a clock set forward leaves out is taken so much later.
 */
export function nextAfter(timing: Timing, after: Millis): Millis | null {
  if (timing.kind === 'every') {
    const length = lengthOf(timing.every)
    return timing.from + Math.max(1, Math.floor((after - timing.from) / length) + 1) * length
  }
  const cron = cronOf(timing)
  let found = cron.nextRun(new Date(after))
  // From inside the hour that comes twice, croner starts again from its first time.
  while (found !== null && found.getTime() <= after) found = cron.nextRun(found)
  return found?.getTime() ?? null
}

/** The newest planned times after `after` and not after `until`, oldest first. */
export interface Times {
  readonly times: readonly Millis[]
  /** Whether there are older ones than these `most`. */
  readonly more: boolean
}

/** Looks back further and further, so that a long absence costs no more than the few that are wanted. */
export function timesBetween(timing: Timing, after: Millis, until: Millis, most: number): Times {
  for (let span = 3_600_000; ; span *= 2) {
    const from = Math.max(after, until - span)
    const times: Millis[] = []
    for (let at = nextAfter(timing, from); at !== null && at <= until; at = nextAfter(timing, at))
      times.push(at)
    if (times.length > most) return { times: times.slice(-most), more: true }
    if (from === after) return { times, more: false }
  }
}

/** How many patterns are remembered before all are forgotten. */
const mostKnown = 500
const known = new Map<string, Cron>()

/** Reading a pattern costs more than asking it. */
function cronOf({ cron, timezone }: Extract<Timing, { kind: 'cron' }>): Cron {
  const key = `${timezone} ${cron}`
  const made = known.get(key) ?? new Cron(cron, { timezone, paused: true, mode: '5-part' })
  if (known.size >= mostKnown) known.clear()
  known.set(key, made)
  return made
}
