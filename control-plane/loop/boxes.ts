import type { BoxKind, BoxRequest, BoxSpec } from '../../src/domain/box.ts'
import { boxSeconds } from '../../src/domain/budget.ts'
import type { Registries } from '../../src/domain/registries.ts'
import type { Checkpoint, Task } from '../../src/domain/task.ts'
import { egressOf } from './egress.ts'
import type { LoopDeps } from './work.ts'

/** What a box is made of, beside what is the same for every box of a task. */
export type Wanted = Pick<
  BoxRequest,
  'argv' | 'env' | 'commit' | 'listing' | 'setupFolders' | 'caches' | 'egress'
>

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

/** A box for a shell command given by a person, on the tree of a commit. It reaches nothing. */
export function shellBox(
  command: string,
  commit: Wanted['commit'],
  setupFolders: Wanted['setupFolders'],
): Wanted {
  const argv = ['/bin/sh', '-c', command]
  return { argv, env: {}, commit, listing: null, setupFolders, caches: [], egress: null }
}

/**
 * The box of a setup command, which reaches the package registries. It fills the caches of its repository only on the base
 * commit: manifests that an agent has written must not decide what the next task's setup finds there.
 */
export function setupBox(
  task: Pick<Task, 'policy' | 'base'>,
  command: string,
  commit: Wanted['commit'],
  registries: Registries,
): Wanted {
  return {
    ...shellBox(command, commit, []),
    env: registries.env,
    caches: commit === task.base.commit ? cacheNames : [],
    egress: egressOf('setup', task.policy, registries),
  }
}

const cacheNames: readonly string[] = ['npm', 'pip']
