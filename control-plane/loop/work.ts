import type { Agent } from '../../src/domain/agent.ts'
import type { CompileBox, Engine } from '../../src/domain/box.ts'
import type { PullPlaces } from '../../src/domain/delivery/forge.ts'
import type { Gateway } from '../../src/domain/gateway.ts'
import type { KnownSecrets } from '../../src/domain/leak.ts'
import type { Registries } from '../../src/domain/registries.ts'
import type { Posture } from '../../src/domain/posture.ts'
import type { Input } from '../../src/domain/input.ts'
import type { Checkpoint, Task } from '../../src/domain/task.ts'
import type { TaskPlace, Worktrees } from '../../src/domain/worktree.ts'
import type { Attestor } from '../attest/attestor.ts'
import type { Bus } from '../bus.ts'
import type { Log } from '../log.ts'
import type { Along, Tasks } from '../tasks.ts'
import type { Ticks } from '../ticks.ts'
import type { Store } from '../store/store.ts'
import type { OutputFiles } from './output-files.ts'

/** What the loop works with; wired in open.ts. */
export interface LoopDeps {
  readonly store: Store
  readonly tasks: Tasks
  readonly bus: Bus
  readonly engine: Engine
  readonly worktrees: Worktrees
  readonly agents: ReadonlyMap<string, Agent>
  readonly compile: CompileBox
  readonly specHash: (spec: NonNullable<Checkpoint['box']>) => string
  readonly outputs: Pick<OutputFiles, 'start'>
  readonly gateway: Gateway
  /** Where packages come from on this machine. */
  readonly registries: () => Promise<Registries>
  /** What must not stand in anything that a box prints. */
  readonly secrets: KnownSecrets
  readonly attestor: Pick<Attestor, 'step'>
  /** Where work is proposed that is not merged here. */
  readonly pulls: PullPlaces
  /** What is known of the engine's walls; null where nobody has looked. */
  readonly posture: () => Posture | null
  readonly installation: string
  /** Uid and gid of boxes and worktrees. */
  readonly user: { readonly uid: number; readonly gid: number }
  readonly clock: () => number
  readonly ticks: Ticks
  /** Resolves after so many milliseconds, and at once when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly log: Log
}

/** One turn at a task: the task as it is now, and the means to say what came of it. */
export interface Work {
  readonly deps: LoopDeps
  readonly task: Task
  /** Aborted when the task was stopped, paused or claimed by another, or (reason `detach`) when this process ends. */
  readonly signal: AbortSignal
  readonly log: Log
  /** Writes a transition under this work's fence. False: it came too late, and nothing was written. */
  report(input: Input, along?: Along): boolean
  /** Waits so many milliseconds, or until the work is no longer ours; another task may have its place meanwhile. */
  rest(ms: number): Promise<void>
}

/** The part of a task that names its place on disk. */
export function placeOf(task: Task): TaskPlace {
  return {
    id: task.id,
    repository: task.repository,
    base: task.base,
    branch: task.branch,
    policy: task.policy,
  }
}

/** The question that a question follows up. */
export function parentOf({ deps, task }: Pick<Work, 'deps' | 'task'>): Task | null {
  return task.parentTaskId === null ? null : deps.store.task(task.parentTaskId)
}

/** The attempts at the question that a question follows up; none where it follows none up. */
export function rowsOfParent({ deps, task }: Pick<Work, 'deps' | 'task'>): readonly Checkpoint[] {
  return task.parentTaskId === null ? [] : deps.store.checkpoints(task.parentTaskId)
}

/** The number of the next step: an interrupted attempt charged none, so its step is made again. */
export function nextStep(task: Task): number {
  return task.spent.steps + 1
}

/** What a phase cannot do without. Where it is missing, the record is wrong, and nothing is done in its place. */
export function needed<T>(value: T | null, task: Task, what: string): T {
  if (value === null) throw new Error(`task ${task.id} is in phase ${task.phase} without ${what}`)
  return value
}
