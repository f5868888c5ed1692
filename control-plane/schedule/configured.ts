import { canonicalJson } from '../../src/domain/canonical-json.ts'
import type { ConfiguredSchedule } from '../../src/domain/schedule/request.ts'
import type { Plan, Schedule } from '../../src/domain/schedule/schedule.ts'
import type { Actor } from '../../src/domain/task.ts'
import type { ScheduleStore } from '../store/store.ts'
import { isRemoved, keptTiming, samePlan, startOf } from './book.ts'

const file: Actor = { kind: 'system', id: 'cofferdam.yaml' }

/**
 * Brings the schedules of the configuration on record. It has the last word on what they are, and people on whether they
 * are enabled. One that was made over HTTP under the same name becomes the configuration's.
 * @param whole those that it does not have any more are put out of use; else they are left to the process that works on
 *   all tasks, as a command may have been given another file
 */
export function takeConfigured(
  store: ScheduleStore,
  configured: readonly ConfiguredSchedule[],
  now: number,
  whole: boolean,
): void {
  for (const one of configured) {
    const before = store.schedule(one.name)
    const after = before === null ? made(one, now) : changed(one, before, now)
    if (after !== before) store.change({ before, after, skipWaiting: skipped('changed', now) })
  }
  if (!whole) return
  const names = new Set(configured.map(({ name }) => name))
  for (const before of store.all()) {
    if (before.origin !== 'config' || before.gone || names.has(before.name)) continue
    const after = { ...before, gone: true, revision: before.revision + 1, updatedAt: now }
    store.change({ before, after, skipWaiting: skipped('taken out of cofferdam.yaml', now) })
  }
}

const skipped = (what: string, at: number) => ({ text: `The schedule was ${what} before it could run.`, at })

function planOf({ timing, missed, overlap, autoApprove, task }: ConfiguredSchedule, now: number): Plan {
  const from = timing.kind === 'every' ? { ...timing, from: startOf(now) } : timing
  return { timing: from, missed, overlap, autoApprove, task }
}

function made(one: ConfiguredSchedule, now: number): Schedule {
  return {
    ...planOf(one, now),
    name: one.name,
    origin: 'config',
    enabled: true,
    gone: false,
    revision: 1,
    decidedTo: now,
    createdBy: file,
    createdAt: now,
    updatedAt: now,
  }
}

function changed(one: ConfiguredSchedule, before: Schedule, now: number): Schedule {
  if (isRemoved(before)) return { ...made(one, now), revision: before.revision + 1 }
  const wanted = planOf(one, now)
  const plan = { ...wanted, timing: keptTiming(wanted.timing, before.timing) }
  if (before.origin === 'config' && !before.gone && samePlan(before, plan)) return before
  const goesOn = !before.gone && canonicalJson(before.timing) === canonicalJson(plan.timing)
  return {
    ...before,
    ...plan,
    origin: 'config',
    gone: false,
    revision: before.revision + 1,
    decidedTo: goesOn ? before.decidedTo : now,
    updatedAt: now,
  }
}
