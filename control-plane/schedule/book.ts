import type { Millis } from '../../src/domain/brand.ts'
import type { Caller } from '../../src/domain/caller.ts'
import { canonicalJson } from '../../src/domain/canonical-json.ts'
import { Failure } from '../../src/domain/failure.ts'
import { type ScheduleAct, scheduleRefusal } from '../../src/domain/rights.ts'
import type { Ran, ScheduleDetail, Schedules, Shown, ShownSchedule } from '../../src/domain/schedule/port.ts'
import { type ScheduleChange, type ScheduleRequest, timingOf } from '../../src/domain/schedule/request.ts'
import type { Occurrence, Plan, Schedule, Timing } from '../../src/domain/schedule/schedule.ts'
import { nextAfter, timingProblem, Unschedulable } from '../../src/domain/schedule/timing.ts'
import { answered, idNow } from '../gate/submissions.ts'
import type { ScheduleChanging, Store } from '../store/store.ts'
import type { Tasks } from '../tasks.ts'
import { foreseen } from './foreseen.ts'
import { makeRun, type RunDeps } from './runs.ts'

export interface BookDeps extends RunDeps {
  readonly store: Pick<Store, 'schedules' | 'task' | 'events'>
  readonly tasks: Pick<Tasks, 'bear' | 'freshId'>
  /** Called when what is planned may have changed. */
  readonly changed: () => void
}

/** What people do with schedules. */
export class ScheduleBook implements Schedules {
  readonly #deps: BookDeps

  constructor(deps: BookDeps) {
    this.#deps = deps
  }

  list(): readonly ShownSchedule[] {
    const { schedules } = this.#deps.store
    return schedules
      .all()
      .filter((schedule) => !isRemoved(schedule))
      .map((schedule) => this.#shown(schedule))
  }

  show(name: string): ShownSchedule {
    return this.#shown(this.#get(name))
  }

  async detail(shown: ShownSchedule): Promise<ScheduleDetail> {
    return { ...shown, ...(await foreseen(this.#deps, shown, this.#deps.tasks.freshId())) }
  }

  create({ name, ...request }: ScheduleRequest, caller: Caller): ShownSchedule {
    refuse(caller, 'make')
    const there = this.#deps.store.schedules.schedule(name)
    const plan = this.#planOf(request, there === null || isRemoved(there) ? null : there)
    if (there !== null && !there.gone) {
      const same = there.origin === 'api' && there.enabled === request.enabled && samePlan(there, plan)
      if (same) return this.#shown(there)
      throw new Failure(
        'conflict',
        `There is a schedule ${name} already: change it, remove it first, or take another name.`,
      )
    }
    const now = this.#deps.clock()
    const made = { createdBy: caller.actor, createdAt: now, revision: (there?.revision ?? 0) + 1 }
    const state = { origin: 'api', enabled: request.enabled, gone: false, decidedTo: now } as const
    return this.#change(there, { ...plan, ...made, ...state, name, updatedAt: now })
  }

  update(name: string, change: ScheduleChange, caller: Caller, shown: Shown): ShownSchedule {
    refuse(caller, 'change')
    const before = this.#own(name, shown)
    const plan = this.#planOf(change, before)
    const now = this.#deps.clock()
    const goesOn = before.enabled && canonicalJson(before.timing) === canonicalJson(plan.timing)
    return this.#change(
      before,
      {
        ...before,
        ...plan,
        enabled: change.enabled,
        revision: before.revision + 1,
        decidedTo: goesOn ? before.decidedTo : now,
        updatedAt: now,
      },
      'The schedule was changed before it could run.',
    )
  }

  remove(name: string, caller: Caller, shown: Shown): void {
    refuse(caller, 'remove')
    const before = this.#own(name, shown)
    const removed = { gone: true, revision: before.revision + 1, updatedAt: this.#deps.clock() }
    this.#write(before, { ...before, ...removed }, 'The schedule was removed before it could run.')
  }

  enable(name: string, enabled: boolean, caller: Caller): ShownSchedule {
    refuse(caller, enabled ? 'enable' : 'disable')
    const before = this.#present(name)
    if (before.enabled === enabled) return this.#shown(before)
    const now = this.#deps.clock()
    const revision = before.revision + 1
    return enabled
      ? this.#change(before, { ...before, enabled, revision, updatedAt: now, decidedTo: now })
      : this.#change(
          before,
          { ...before, enabled, revision, updatedAt: now },
          'The schedule was disabled before it could run.',
        )
  }

  async run(name: string, caller: Caller, key: string | null): Promise<Ran> {
    refuse(caller, 'run')
    const { clock, store, tasks } = this.#deps
    const schedule = this.#present(name)
    const { actor } = caller
    const id = key === null ? tasks.freshId() : idNow(store, key, actor, clock())
    const before = this.#ran(schedule, id)
    if (before !== null) return before
    // Whole seconds are those of planned runs.
    for (let plannedAt = clock(); ; plannedAt += 1) {
      if (plannedAt % 1000 === 0) plannedAt += 1
      const occurrence = { schedule: name, plannedAt, kind: 'asked' } as const
      const text = `Asked for by ${actor.id}.`
      const made = await makeRun(this.#deps, schedule, { id, occurrence, actor, text, alone: false })
      if (made.kind === 'made') return { task: made.task, notes: made.notes, occurrence: made.occurrence }
      // The same may have come in a second time meanwhile.
      const meanwhile = this.#ran(schedule, id)
      if (meanwhile !== null) return meanwhile
      if (made.reason !== 'decided' || store.schedules.schedule(name)?.revision !== schedule.revision)
        throw new Failure(
          'conflict',
          `The schedule ${name} changed at the same moment: look at it and try again.`,
        )
    }
  }

  occurrences(name: string, before: Millis | null, limit: number): readonly Occurrence[] {
    this.#get(name)
    return this.#deps.store.schedules.occurrences(name, before, limit)
  }

  /** What was answered when this task was made; null where there is none. Throws where it was something else. */
  #ran({ name, task: request }: Schedule, id: Ran['task']['id']): Ran | null {
    const { store } = this.#deps
    const occurrence = store.schedules.occurrenceOf(id)
    const before = answered(store, id, request)
    if (before === null) return null
    if (occurrence?.schedule === name) return { ...before, occurrence }
    throw new Failure('conflict', `Task ${id} was made under this key, and not by the schedule ${name}.`)
  }

  /** The times are looked at too: throws `Unschedulable`. An interval that stays is counted from where it was. */
  #planOf({ missed, overlap, task, ...words }: ScheduleChange, before: Schedule | null): Plan {
    const now = this.#deps.clock()
    const timing = keptTiming(timingOf({ ...words, missed, overlap }, startOf(now), 'UTC'), before?.timing)
    const problem = timingProblem(timing, now)
    if (problem !== null) throw new Unschedulable(problem)
    return { timing, missed, overlap, task, autoApprove: false }
  }

  #shown(schedule: Schedule): ShownSchedule {
    const { clock, store } = this.#deps
    const runs = schedule.enabled && !schedule.gone
    return {
      ...schedule,
      nextAt: runs ? nextAfter(schedule.timing, clock()) : null,
      last: store.schedules.last(schedule.name),
    }
  }

  #get(name: string): Schedule {
    const schedule = this.#deps.store.schedules.schedule(name)
    if (schedule === null || isRemoved(schedule))
      throw new Failure(
        'not_found',
        `There is no schedule ${name}: \`cofferdam schedule list\` shows those there are.`,
      )
    return schedule
  }

  #present(name: string): Schedule {
    const schedule = this.#get(name)
    if (schedule.gone)
      throw new Failure(
        'conflict',
        `The schedule ${name} is gone from cofferdam.yaml: put it back there first.`,
      )
    return schedule
  }

  /** One that is not the configuration's, as it was shown. */
  #own(name: string, shown: Shown): Schedule {
    const schedule = this.#get(name)
    if (schedule.origin === 'config')
      throw new Failure(
        'conflict',
        `The schedule ${name} is from cofferdam.yaml: change it there. It can be run, enabled and disabled here.`,
      )
    if (shown !== null && shown !== schedule.revision) throw moved(schedule.name)
    return schedule
  }

  #change(before: Schedule | null, after: Schedule, skipWaiting?: string): ShownSchedule {
    this.#write(before, after, skipWaiting)
    return this.#shown(after)
  }

  #write(before: Schedule | null, after: Schedule, text?: string): void {
    const { changed, clock, store } = this.#deps
    const changing: ScheduleChanging = { before, after, ...(text && { skipWaiting: { text, at: clock() } }) }
    if (!store.schedules.change(changing)) throw moved(after.name)
    changed()
  }
}

/** Its row stays, so that nobody who saw it, or drafts a run of it, takes a later one under its name for it. */
export const isRemoved = ({ origin, gone }: Schedule): boolean => origin === 'api' && gone

/** Planned runs are at whole seconds. */
export const startOf = (now: Millis): Millis => Math.floor(now / 1000) * 1000

/** An interval of the same length goes on from where it was counted. */
export function keptTiming(timing: Timing, before: Timing | undefined): Timing {
  return timing.kind === 'every' && before?.kind === 'every' && before.every === timing.every
    ? before
    : timing
}

export function samePlan(one: Plan, other: Plan): boolean {
  const plan = ({ timing, missed, overlap, autoApprove, task }: Plan): string =>
    canonicalJson({ timing, missed, overlap, autoApprove, task })
  return plan(one) === plan(other)
}

function refuse(caller: Caller, act: ScheduleAct): void {
  const refused = scheduleRefusal(caller, act)
  if (refused !== null) throw new Failure('not_allowed', refused)
}

function moved(name: string): Failure {
  return new Failure(
    'conflict',
    `The schedule ${name} changed since it was shown: look at it and decide again.`,
  )
}
