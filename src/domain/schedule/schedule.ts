import type { Millis } from '../brand.ts'
import type { TaskId } from '../ids.ts'
import type { TaskRequest } from '../intake.ts'
import type { Actor } from '../task.ts'

/** When a schedule's runs are planned. */
export type Timing =
  /** Five fields or a name such as `@daily`, by the clock of an IANA time zone. */
  | { readonly kind: 'cron'; readonly cron: string; readonly timezone: string }
  /** `30m`, `6h`, `2d` of wall time, counted from `from`; no time zone has a say in it. */
  | { readonly kind: 'every'; readonly every: string; readonly from: Millis }

/** What becomes of planned runs that nobody was there for: none, the last one, or the last few of them. */
export const missedPolicies = ['skip', 'once', 'all'] as const
export type MissedPolicy = (typeof missedPolicies)[number]

/** What becomes of a planned run while a task of the schedule is not at rest: none, it waits, or it is made all the same. */
export const overlapPolicies = ['skip', 'queue', 'allow'] as const
export type OverlapPolicy = (typeof overlapPolicies)[number]

/** `config`: from `cofferdam.yaml`, which alone changes it; `api`: made by an owner. */
export const origins = ['config', 'api'] as const
export type Origin = (typeof origins)[number]

/** What a schedule says, wherever it comes from. */
export interface Plan {
  readonly timing: Timing
  readonly missed: MissedPolicy
  readonly overlap: OverlapPolicy
  /** What the risk gate finds is approved in advance. Only a schedule of the configuration may say so. */
  readonly autoApprove: boolean
  readonly task: TaskRequest
}

export interface Schedule extends Plan {
  readonly name: string
  readonly origin: Origin
  readonly enabled: boolean
  /** No longer in the configuration, or removed by an owner: it does nothing until it is there again. */
  readonly gone: boolean
  /** Rises with every change that a person or the configuration makes, also where it is removed and made again. */
  readonly revision: number
  /** What was planned up to this time is decided. */
  readonly decidedTo: Millis
  readonly createdBy: Actor
  readonly createdAt: Millis
  readonly updatedAt: Millis
}

/**
 * What became of a planned run. `waiting`: for the task before it. `made`: `task` is the one task of it. `missed`: for
 * itself and the runs before it that `text` counts. Only `waiting` changes.
 */
export const occurrenceStates = ['waiting', 'made', 'skipped', 'missed', 'failed'] as const

/** A time at which a schedule ran, or was to run. There is at most one for each schedule and time. */
export interface Occurrence {
  readonly schedule: string
  readonly plannedAt: Millis
  /** `asked`: somebody had it run, and then `plannedAt` is when. */
  readonly kind: 'planned' | 'asked'
  readonly state: (typeof occurrenceStates)[number]
  readonly task: TaskId | null
  /** A sentence for people. */
  readonly text: string
  readonly at: Millis
}

/** Longest name of a schedule, and what one looks like. */
export const schedulePattern = /^[a-z][a-z0-9-]{0,62}$/

/** When a run is late by more, it counts as missed: nobody was there for it, ms. A scan takes place every 30 s at least. */
export const graceMs = 120_000
/** How many of the missed runs `missed: all` makes up for, the newest. */
export const mostMadeUp = 24
/** How many runs of one schedule wait at most. */
export const mostWaiting = 100
