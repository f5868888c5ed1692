import { setImmediate } from 'node:timers/promises'
import type { CommitId } from '../../src/domain/brand.ts'
import { judge, type Studied, study, wantsContent } from '../../src/domain/marks/judge.ts'
import type { Change, Mark } from '../../src/domain/marks/mark.ts'
import { placeOf, type Work } from './work.ts'

/** The second gate: why delivering a task's work, up to this commit, takes an owner's decision; empty where it does not. */
export async function marksOf({ deps, task, signal }: Work, commit: CommitId): Promise<readonly Mark[]> {
  const { base } = task
  if (commit === base.commit) return []
  const changes = await deps.worktrees.changes(placeOf(task), base.commit, commit, wantsContent, signal)
  return changes === null ? [tooMuch] : judge(await studied(changes))
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
