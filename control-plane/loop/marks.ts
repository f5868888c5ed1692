import { setImmediate } from 'node:timers/promises'
import type { CommitId } from '../../src/domain/brand.ts'
import { judge, type Studied, study, wantsContent } from '../../src/domain/marks/judge.ts'
import type { Change, Mark } from '../../src/domain/marks/mark.ts'
import type { Task } from '../../src/domain/task.ts'
import type { Store } from '../store/store.ts'
import { placeOf, type Work } from './work.ts'

/** The second gate: why delivering a task's work, up to this commit, takes an owner's decision; empty where it does not. */
export async function marksOf({ deps, task, signal }: Work, commit: CommitId): Promise<readonly Mark[]> {
  const from = originOf(deps.store, task)
  if (commit === from) return []
  const changes = await deps.worktrees.changes(placeOf(task), from, commit, wantsContent, signal)
  return changes === null ? [tooMuch] : judge(await studied(changes))
}

/** Where the work that would be delivered begins: with that of the tasks whose work this one changes. */
export function originOf(store: Pick<Store, 'task'>, task: Task): CommitId {
  let first = task
  for (let at: Task | null = task; at !== null;) {
    first = at
    at = at.parentTaskId === null ? null : store.task(at.parentTaskId)
  }
  return first.base.commit
}

const tooMuch: Mark = {
  rule: 'unread',
  path: '.',
  text: 'The work changes too much to be judged: look at the diff.',
}

/** Other work has its turn between files that take their time. */
async function studied(changes: readonly Change[]): Promise<readonly Studied[]> {
  const all: Studied[] = []
  let until = performance.now() + sliceMs
  for (const change of changes) {
    all.push(study(change))
    if (performance.now() < until) continue
    await setImmediate()
    until = performance.now() + sliceMs
  }
  return all
}

const sliceMs = 20
