import type { Millis } from '../brand.ts'
import type { Caller } from '../caller.ts'
import type { Submitted } from '../submitted.ts'
import type { Terms } from '../task.ts'
import type { ScheduleChange, ScheduleRequest } from './request.ts'
import type { Occurrence, Schedule } from './schedule.ts'

/** A schedule, and what can be told of it now. */
export interface ShownSchedule extends Schedule {
  /** When its next run is planned; null while it is disabled or gone, and where none comes. */
  readonly nextAt: Millis | null
  /** What was decided last. */
  readonly last: Occurrence | null
}

/** A schedule, and what would come of a run of it now. */
export interface ScheduleDetail extends ShownSchedule {
  /** With what its task would begin; null where none could be made. */
  readonly terms: Terms | null
  /** For people: why nothing runs by itself when it is due, and what to do next; null where it does. */
  readonly hindrance: string | null
}

/** A run that somebody asked for. */
export interface Ran extends Submitted {
  readonly occurrence: Occurrence
}

/** What a change is bound to: the revision of the schedule that was shown; null to none. */
export type Shown = number | null

/**
 * The schedules of a data folder. Methods throw `Failure`: `not_found`, `not_allowed`, `conflict` (it is there already,
 * is the configuration's, or changed since it was shown), and `Unschedulable` for times that never come.
 */
export interface Schedules {
  /** In order of their names. */
  list(): readonly ShownSchedule[]
  show(name: string): ShownSchedule
  /** Looks at its repository as a run of it does, and writes nothing. */
  detail(shown: ShownSchedule): Promise<ScheduleDetail>
  /** The same once more is answered as before. */
  create(request: ScheduleRequest, caller: Caller): ShownSchedule
  update(name: string, change: ScheduleChange, caller: Caller, shown: Shown): ShownSchedule
  /** Its tasks stay. */
  remove(name: string, caller: Caller, shown: Shown): void
  /** Also of a schedule from the configuration. What was planned while it was disabled is not missed. */
  enable(name: string, enabled: boolean, caller: Caller): ShownSchedule
  /**
   * Makes a task of it now, whatever its overlap policy says, also while it is disabled. The task is the caller's.
   * @param key names this run for its caller, so that it can be asked for again when no answer came
   */
  run(name: string, caller: Caller, key: string | null): Promise<Ran>
  /** Newest first; those before a time, where it is given. */
  occurrences(name: string, before: Millis | null, limit: number): readonly Occurrence[]
}
