import type {
  AgentBoxRequest,
  BoxRequest,
  BoxSpec,
  SetupBoxRequest,
  TestBoxRequest,
} from '../../src/domain/box.ts'
import type { CommitId } from '../../src/domain/brand.ts'
import { boxSeconds } from '../../src/domain/budget.ts'
import type { Registries } from '../../src/domain/registries.ts'
import type { Checkpoint, Task } from '../../src/domain/task.ts'
import { egressOf } from './egress.ts'
import type { LoopDeps } from './work.ts'

/** What a box is made of, beside what is the same for every box of a task. */
export type Wanted = Own<AgentBoxRequest> | Own<SetupBoxRequest> | Own<TestBoxRequest>
type Own<Request extends BoxRequest> = Omit<
  Request,
  'installation' | 'task' | 'step' | 'attempt' | 'fence' | 'image' | 'user' | 'seconds' | 'policy'
>

/** Computes the box of an attempt, for the loop and for `cofferdam explain` alike. */
export function boxOf(
  deps: Pick<LoopDeps, 'compile' | 'installation' | 'user'>,
  task: Task,
  row: Pick<Checkpoint, 'step' | 'attempt'>,
  image: string,
  wanted: Wanted,
): BoxSpec {
  return deps.compile({
    ...wanted,
    installation: deps.installation,
    task: task.id,
    step: row.step,
    attempt: row.attempt,
    fence: task.fence,
    image,
    user: deps.user,
    seconds: boxSeconds(task, wanted.kind),
    policy: task.policy,
  })
}

const cacheNames: readonly string[] = ['npm', 'pip']

/** What an agent's or a test's box finds of what setup has fetched. */
export function cachesRead({ setup }: Pick<Task, 'setup'>): readonly string[] {
  return setup === null ? [] : cacheNames
}

/** The box of a test command, on the tree of a commit. */
export function testBox(
  task: Pick<Task, 'setup'>,
  kind: 'baseline' | 'test',
  command: string,
  commit: CommitId,
): Own<TestBoxRequest> {
  return { kind, argv: inShell(command), env: {}, commit, caches: cachesRead(task) }
}

/**
 * The box of a setup command, which reaches the package registries. It fills the caches of its repository only on the base
 * commit: manifests that an agent has written must not decide what the next task's setup finds there.
 */
export function setupBox(
  task: Pick<Task, 'policy' | 'base' | 'setup'>,
  command: string,
  commit: CommitId,
  registries: Registries,
): Own<SetupBoxRequest> {
  return {
    kind: 'setup',
    argv: inShell(command),
    env: registries.env,
    commit,
    caches: commit === task.base.commit ? cacheNames : [],
    egress: egressOf('setup', task.policy, registries),
  }
}

/** A command that a person gave. */
function inShell(command: string): readonly string[] {
  return ['/bin/sh', '-c', command]
}
