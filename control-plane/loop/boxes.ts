import type { BoxKind, BoxRequest, BoxSpec } from '../../src/domain/box.ts'
import { boxSeconds } from '../../src/domain/budget.ts'
import type { Checkpoint, Task } from '../../src/domain/task.ts'
import type { LoopDeps } from './work.ts'

/** What a box is made of, beside what is the same for every box of a task. */
export type Wanted = Pick<BoxRequest, 'argv' | 'env' | 'commit' | 'listing' | 'setupFolders'>

/** Computes the box of an attempt, for the loop and for `cofferdam explain` alike. */
export function boxOf(
  deps: Pick<LoopDeps, 'compile' | 'installation' | 'user'>,
  task: Task,
  row: Pick<Checkpoint, 'step' | 'attempt'>,
  image: string,
  kind: BoxKind,
  wanted: Wanted,
): BoxSpec {
  return deps.compile({
    ...wanted,
    installation: deps.installation,
    kind,
    task: task.id,
    step: row.step,
    attempt: row.attempt,
    fence: task.fence,
    image,
    user: deps.user,
    seconds: boxSeconds(task, kind),
    policy: task.policy,
  })
}

/** A box for a shell command given by a person, on the tree of a commit. */
export function shellBox(
  command: string,
  commit: Wanted['commit'],
  setupFolders: Wanted['setupFolders'],
): Wanted {
  return { argv: ['/bin/sh', '-c', command], env: {}, commit, listing: null, setupFolders }
}
