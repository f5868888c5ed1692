import { randomBytes } from 'node:crypto'
import type { Agent } from '../src/domain/agent.ts'
import type { BoxSpec, CompileBox, Engine } from '../src/domain/box.ts'
import type { Explanation } from '../src/domain/control-plane.ts'
import type { Caller } from '../src/domain/caller.ts'
import { Failure, type FailureCode } from '../src/domain/failure.ts'
import { passingId } from '../src/domain/ids.ts'
import type { TaskRequest } from '../src/domain/intake.ts'
import type { Registries } from '../src/domain/registries.ts'
import { submitRefusal } from '../src/domain/rights.ts'
import type { Task } from '../src/domain/task.ts'
import { boxOf, cachesRead, setupBox, testBox, type Wanted } from './loop/boxes.ts'
import { egressOf } from './loop/egress.ts'
import { placeOf } from './loop/work.ts'
import { draftTask, type SubmitDeps } from './submit.ts'

export interface ExplainDeps extends SubmitDeps {
  readonly engine: Pick<Engine, 'image'>
  readonly agents: ReadonlyMap<string, Agent>
  readonly compile: CompileBox
  readonly installation: string
  readonly user: { readonly uid: number; readonly gid: number }
  readonly registries: () => Promise<Registries>
}

/**
 * Computes what a request of this caller would get. The worktree is laid out for it and taken away again; nothing is run.
 * Rejects with `Failure('not_allowed')` where they may not submit it, for it reads the repository as a submission does.
 */
export async function explain(deps: ExplainDeps, request: TaskRequest, caller: Caller): Promise<Explanation> {
  const refused = submitRefusal(caller)
  if (refused !== null) throw new Failure('not_allowed', refused)
  const drafted = await draftTask(deps, request, passingId(randomBytes(10)), caller)
  // As its first claim will make it.
  const task = { ...drafted.task, fence: 1 }
  const { image, notes } = await imageOf(deps.engine, task)
  const place = placeOf(task)
  const box = (step: number, wanted: Wanted): BoxSpec =>
    boxOf(deps, task, { step, attempt: 1 }, image, wanted)
  const tested = (kind: 'baseline' | 'test', step: number): readonly BoxSpec[] =>
    task.test === null ? [] : [box(step, testBox(task, kind, task.test, task.base.commit))]
  try {
    await deps.worktrees.open(place)
    const listing = await deps.worktrees.listing(place)
    const chosen = deps.agents.get(task.agent.name)
    const { argv, env } = chosen?.call(task.agent, null) ?? { argv: [], env: {} }
    const model = chosen?.upstream ?? null
    const egress = egressOf('agent', task.policy, null, model)
    const caches = cachesRead(task)
    const agent = {
      argv,
      env,
      kind: 'agent',
      listing,
      setupFolders: [],
      ownFolder: model !== null,
      caches,
      egress,
    } as const
    const setup = task.setup === null ? null : { command: task.setup, registries: await deps.registries() }
    const boxes = [
      ...(setup === null ? [] : [box(0, setupBox(task, setup.command, task.base.commit, setup.registries))]),
      ...tested('baseline', 0),
      box(1, agent),
      ...tested('test', 1),
    ]
    return {
      policy: task.policy,
      boxes,
      hidden: drafted.hidden,
      risks: task.risks,
      notes: [...drafted.notes, ...notes, ...(setup === null ? [] : [...setup.registries.notes, setupNote])],
    }
  } finally {
    await deps.worktrees.discard(place)
  }
}

const setupNote =
  'What setup leaves is mounted on top of what is shown here; it is known after setup has run.'

/** The image, or what stands for it where there is none to be had: the rest of a spec is as it would be. */
async function imageOf(
  engine: ExplainDeps['engine'],
  { agent, repository }: Pick<Task, 'agent' | 'repository'>,
): Promise<{ image: string; notes: readonly string[] }> {
  try {
    return { image: await engine.image({ agent: agent.name, repository: repository.path }), notes: [] }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const image = standIns[error.code]
    if (image === undefined) throw error
    return { image, notes: [error.message] }
  }
}

const standIns: Readonly<Partial<Record<FailureCode, string>>> = {
  image: 'not built yet',
  engine: 'unknown: the engine does not answer',
}
