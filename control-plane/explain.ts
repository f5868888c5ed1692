import type { Agent } from '../src/domain/agent.ts'
import type { BoxRequest, BoxSpec, CompileBox, Engine } from '../src/domain/box.ts'
import { boxSeconds } from '../src/domain/budget.ts'
import type { TaskRequest } from '../src/domain/intake.ts'
import type { TaskId } from '../src/domain/ids.ts'
import type { Explanation } from '../src/domain/control-plane.ts'
import { placeOf } from './loop/work.ts'
import { shell } from './loop/phases/begin.ts'
import { prepare, type SubmitDeps } from './submit.ts'
import { systemActor, type Tasks } from './tasks.ts'

export interface ExplainDeps extends SubmitDeps {
  readonly tasks: Tasks
  readonly engine: Engine
  readonly agents: ReadonlyMap<string, Agent>
  readonly compile: CompileBox
  readonly installation: string
  readonly user: { readonly uid: number; readonly gid: number }
}

/** Stands for the image where none is built yet: the rest of the spec is as it would be. */
const noImage = 'sha256:not-built-yet'

/** Computes what a request would get. The worktree is laid out for it and taken away again; nothing is run. */
export async function explain(deps: ExplainDeps, request: TaskRequest): Promise<Explanation> {
  const id: TaskId = deps.tasks.freshId()
  const { task, notes, hidden } = await prepare(deps, request, id, systemActor)
  const image = await deps.engine.image().catch(() => noImage)
  const place = placeOf(task)
  try {
    await deps.worktrees.open(place)
    const call = deps.agents.get(task.agent.name)?.call(task.agent, null)
    const box = (kind: BoxRequest['kind'], wanted: Partial<BoxRequest>): BoxSpec =>
      deps.compile({
        installation: deps.installation,
        kind,
        task: id,
        step: kind === 'agent' || kind === 'test' ? 1 : 0,
        attempt: 1,
        fence: 1,
        image,
        user: deps.user,
        argv: call?.argv ?? [],
        env: {},
        seconds: boxSeconds(task, kind),
        policy: task.policy,
        commit: task.base.commit,
        listing: null,
        setupFolders: [],
        ...wanted,
      })
    const listing = await deps.worktrees.listing(place)
    const boxes = [
      ...(task.setup === null ? [] : [box('setup', { argv: shell(task.setup) })]),
      box('agent', { listing, env: call?.env ?? {} }),
      ...(task.test === null ? [] : [box('test', { argv: shell(task.test) })]),
    ]
    return { boxes, hidden, risks: task.risks, notes }
  } finally {
    await deps.worktrees.discard(place)
  }
}
