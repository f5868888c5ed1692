import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { HostPath } from '../src/domain/brand.ts'
import type { Input } from '../src/domain/input.ts'
import type { Task } from '../src/domain/task.ts'
import { transition } from '../src/domain/transition/apply.ts'
import { restoredName } from './backup/contents.ts'
import { offerOf } from './gate/surfaces.ts'
import { closed } from './loop/attempts.ts'
import type { Store } from './store/store.ts'
import type { Tasks } from './tasks.ts'

export interface RestoredDeps {
  readonly data: HostPath
  readonly store: Pick<Store, 'delivering' | 'openCheckpoint'>
  readonly tasks: Pick<Tasks, 'report'>
  /** Epoch milliseconds. */
  readonly clock: () => number
}

/**
 * Ends what a copy of the data folder has as being delivered, once after it was restored: people have decided on since, perhaps
 * otherwise, and nothing moves a branch that nobody asked for now.
 */
export function endDeliveries({ data, store, tasks, clock }: RestoredDeps): void {
  const mark = join(data, restoredName)
  if (!existsSync(mark)) return
  for (const task of store.delivering()) {
    const input = refusedFor(task)
    const after = transition(task, input, clock())
    if (after.kind === 'refused') throw new Error(after.text)
    const row = store.openCheckpoint(task.id)
    const told = tasks.report(task.id, task.fence, input, {
      checkpoints: row === null ? [] : [closed(row, 'dropped', clock())],
      surface: { closeAll: true, ...offerOf(after.task, clock()) },
    })
    // Nobody else works on the folder yet; without this the mark would go and the branch could move after all.
    if (told.kind === 'refused') throw new Error(told.text)
  }
  rmSync(mark)
}

function refusedFor({ phase }: Task): Input {
  const why =
    'this was under way when the copy was made that the data folder was restored from. Look at where it stands, and decide again.'
  if (phase === 'undo') return { type: 'undo_refused', text: `Not undone: ${why}` }
  return phase === 'push' || phase === 'pull_open'
    ? { type: 'pull_refused', why: 'other', text: `Not proposed: ${why}` }
    : { type: 'merge_refused', why: 'other', text: `Not merged: ${why}` }
}
