import type { CommitId } from '../../src/domain/brand.ts'
import { activeStatuses, type Status } from '../../src/domain/task.ts'
import { wrongRun } from './invariants.ts'
import type { Merge } from '../../src/domain/delivery/merge.ts'
import type { Pull } from '../../src/domain/delivery/pull.ts'
import type { Machine } from './machine.ts'
import type { View } from './view.ts'
import { leadsTo } from './worktrees.ts'

/** What is wrong with a task, or null, once nothing is under way any more and nothing goes wrong. */
export function wrongAtRest(machine: Machine, view: View): string | null {
  const { task, attempts } = view
  const { id, status, phase } = task
  const active = activeStatuses.includes(status as Status) && status !== 'DRAFT'
  if (active || phase === 'salvage') return `rest: it is left ${status} (${phase})`
  // What a full disk has postponed waits for a person.
  if (phase !== 'postponed' && attempts.some(({ state }) => state === 'open'))
    return 'rest: an attempt is open'
  if ([...machine.boxes.values()].some(({ spec }) => spec.task === id))
    return 'boxes: one of its boxes is left'
  const run = wrongRun(view)
  if (run !== null) return `schedules: ${run}`
  return (
    wrongTree(machine, { task, attempts }) ??
    wrongBranch(machine, { task, attempts }) ??
    wrongDelivery(machine, view) ??
    wrongPull(machine, { task })
  )
}

/** A step took effect once, or not at all. */
function wrongTree(machine: Machine, { task, attempts }: Pick<View, 'task' | 'attempts'>): string | null {
  const { tree } = machine.get(task.head as CommitId)
  const steps = tree.flatMap((name) => /^step (\d+) /.exec(name)?.[1] ?? []).map(Number)
  for (const step of new Set(steps)) {
    const times = steps.filter((other) => other === step).length
    const kept = attempts.filter((row) => row.step === step && row.commit_id !== null).length
    if (times > kept) return `doubled: step ${step} took effect ${times} times, and was kept ${kept} times`
  }
  return null
}

/** A branch holds what was merged into it and not undone, and nothing else of the tasks; it was tested there. */
function wrongDelivery(
  machine: Machine,
  { task, attempts, events }: Pick<View, 'task' | 'attempts' | 'events'>,
): string | null {
  if (task.delivery === 'delivering') return 'rest: it is left on the way'
  const merge = task.merge === null ? null : (JSON.parse(task.merge) as Merge)
  if (merge?.commit == null || task.delivery === 'discarded') return null
  // What the branch had already came with another task's merge, and goes when that is undone.
  if (merge.from === merge.commit) return null
  const tip = machine.source.get(merge.into) ?? machine.base
  const isThere = leadsTo(machine, merge.commit, tip)
  const isMerged = task.delivery === 'merged'
  if (isThere !== isMerged)
    return `delivery: it is ${task.delivery}, and ${isThere ? '' : 'not '}in the branch`
  const last = attempts.findLast(({ kind, state, step }) => step === 0 && state === 'kept' && kind === 'test')
  // What meets with no other work is not tested once more, though an earlier try may have met with some, and failed.
  const decided = events.findLastIndex(({ type }) => type === 'merge_decided')
  const isTested = events.slice(decided).some(({ type }) => type === 'merge_begun')
  return isMerged && isTested && last?.passed === 0 ? 'delivery: what was merged has failed its test' : null
}

/** What is on record as proposed is there, and nothing of the task was ever proposed twice at once. */
function wrongPull(machine: Machine, { task }: Pick<View, 'task'>): string | null {
  const { forge } = machine
  const { branch, delivery } = task
  if (forge.doubled?.branch === branch)
    return `proposed: #${forge.doubled.number} is a second one that is open`
  const pull = task.pull === null ? null : (JSON.parse(task.pull) as Pull)
  if (pull === null) return null
  const there = forge.branches.get(branch)
  if (pull.pushed !== null && (there === undefined || !leadsTo(machine, pull.pushed, there)))
    return `published: ${branch} is said to be at ${pull.pushed} there, and is not`
  if (pull.number === null) return null
  const found = forge.pulls[pull.number - 1]
  if (found?.branch !== branch || found.into !== pull.into)
    return `proposed: #${pull.number} is said to be for it, and is not`
  const over = { pr_merged: 'merged', pr_closed: 'closed' }[delivery]
  return over === undefined || found.state === over
    ? null
    : `proposed: it is ${delivery}, and ${found.state} there`
}

/** What is applied is in the source, is what was tested, and is what the record says. */
function wrongBranch(machine: Machine, { task, attempts }: Pick<View, 'task' | 'attempts'>): string | null {
  const { branch, head, kind, base_commit: base, status, outcome } = task
  if ((machine.mirror.get(branch) ?? base) !== head)
    return 'branch: the mirror holds something else than the head'
  if (status !== 'APPLIED') return null
  if (kind === 'question')
    return machine.source.has(branch) ? 'branch: a question has one in the source' : null
  if (machine.source.get(branch) !== head) return 'branch: the source does not hold what was applied'
  const last = attempts.findLast(({ commit_id: commit }) => commit !== null)
  return outcome !== 'tested' || last?.passed === 1 ? null : 'branch: what was applied as tested did not pass'
}
