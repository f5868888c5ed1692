import type { Millis } from '../brand.ts'
import { counted } from '../text.ts'
import { graceMs, mostMadeUp, type Schedule } from './schedule.ts'
import { type Times, timesBetween } from './timing.ts'

/** What is to become of a planned time: a run of it, or word of the runs up to it that nobody was there for. */
export interface Ruling {
  readonly what: 'run' | 'missed'
  readonly plannedAt: Millis
  /** For people: of what was missed, or why the run comes late; '' for one in time. */
  readonly text: string
}

/** More missed runs are not counted. */
const mostCounted = 100

/** What is to be decided now about the planned times of a schedule, oldest first. */
export function rulingsOf(schedule: Schedule, now: Millis): readonly Ruling[] {
  // A clock that was put back decides again from there; what is on record already stays as it is.
  const after = Math.min(schedule.decidedTo, now)
  const found = timesBetween(schedule.timing, after, now, mostCounted)
  const missed = found.times.filter((at) => now - at > graceMs)
  const inTime = found.times.filter((at) => now - at <= graceMs)
  const late = madeUp(schedule, missed, inTime)
  const lost = missed.filter((at) => !late.includes(at))
  return [
    ...lostRulings(schedule, lost, found),
    ...late.map((at) => run(at, lateText(at, now))),
    ...inTime.map((at) => run(at, '')),
  ]
}

const run = (plannedAt: Millis, text: string): Ruling => ({ what: 'run', plannedAt, text })

/** Those of the missed times that are run all the same. One that is due just now stands in for them. */
function madeUp(
  { missed: policy }: Schedule,
  missed: readonly Millis[],
  inTime: readonly Millis[],
): readonly Millis[] {
  if (policy === 'all') return missed.slice(-mostMadeUp)
  return policy === 'once' && inTime.length === 0 ? missed.slice(-1) : []
}

function lostRulings(
  { missed: policy }: Schedule,
  lost: readonly Millis[],
  { more }: Times,
): readonly Ruling[] {
  const last = lost.at(-1)
  if (last === undefined) return []
  const number = counted(lost.length, 'planned run')
  const were = `${more ? `At least ${number} were` : `${number} ${lost.length === 1 ? 'was' : 'were'}`} missed`
  const because = {
    skip: 'missed runs are not made up for',
    once: 'one run makes up for all',
    all: `only the last ${mostMadeUp} are made up for`,
  }[policy]
  return [{ what: 'missed', plannedAt: last, text: `${were}: ${because}.` }]
}

function lateText(at: Millis, now: Millis): string {
  const minutes = Math.round((now - at) / 60_000)
  const [number, unit] =
    minutes < 120
      ? [minutes, 'minute']
      : minutes < 2880
        ? [Math.round(minutes / 60), 'hour']
        : [Math.round(minutes / 1440), 'day']
  return `It was missed, and is made up for ${counted(number, unit)} late.`
}
