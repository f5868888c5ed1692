import { left } from '../src/domain/budget.ts'
import type { CompileBox, Engine } from '../src/domain/box.ts'
import { Failure } from '../src/domain/failure.ts'
import type { TaskId } from '../src/domain/ids.ts'
import type { TaskRequest } from '../src/domain/intake.ts'
import type { Agent } from '../src/domain/agent.ts'
import { assessText } from '../src/domain/risk.ts'
import type { Actor, Budget, Task } from '../src/domain/task.ts'
import type { Worktrees } from '../src/domain/worktree.ts'
import type { Act, ControlPlane, Explanation, Sight, Submitted, TaskFilter } from './control-plane.ts'
import type { Bus } from './bus.ts'
import { doctor } from './doctor.ts'
import { explain } from './explain.ts'
import { decide, openSurface } from './gate/surfaces.ts'
import type { Loop } from './loop/loop.ts'
import type { OutputFiles } from './loop/output-files.ts'
import { placeOf } from './loop/work.ts'
import type { Store } from './store/store.ts'
import { type Defaults, draftOf } from './submit.ts'
import type { Tasks } from './tasks.ts'
import { watch } from './watch.ts'

export interface PlaneDeps {
  readonly store: Store
  readonly tasks: Tasks
  readonly bus: Bus
  readonly loop: Loop
  readonly engine: Engine
  readonly worktrees: Worktrees
  readonly agents: ReadonlyMap<string, Agent>
  readonly compile: CompileBox
  readonly outputs: OutputFiles
  readonly defaults: Defaults
  readonly installation: string
  readonly user: { readonly uid: number; readonly gid: number }
  readonly data: string
  readonly clock: () => number
}

/** The product without a front end. */
export class Plane implements ControlPlane {
  readonly #deps: PlaneDeps

  constructor(deps: PlaneDeps) {
    this.#deps = deps
  }

  async submit(request: TaskRequest, actor: Actor): Promise<Submitted> {
    const { task, notes, hidden } = await draftOf(this.#deps, request, this.#deps.tasks.freshId(), actor)
    const draft = task.status === 'DRAFT'
    const text = draft ? 'Submitted; waits for approval.' : 'Submitted.'
    const surface = draft ? { open: openSurface(task, this.#deps.clock()) } : undefined
    const born = this.#deps.tasks.birth(task, text, { ...(surface && { surface }), data: { notes, hidden } })
    return { task: born, notes }
  }

  task(id: TaskId): Task {
    return this.#deps.tasks.get(id)
  }

  tasks(filter: TaskFilter): readonly Task[] {
    return this.#deps.store.tasks(filter)
  }

  async act(id: TaskId, act: Act, actor: Actor): Promise<Task> {
    const { store, tasks, clock } = this.#deps
    const surface = store.openSurface(id)
    const decided = (text: string | null) => (_: Task, next: Task) => ({
      surface: decide(surface, next, { action: act.act, text, actor, at: clock() }),
    })
    switch (act.act) {
      case 'approve':
        return tasks.act(id, { type: 'approved' }, actor, decided(null))
      case 'reject':
        return tasks.act(id, { type: 'rejected', text: act.text }, actor, decided(act.text))
      case 'suggest':
        return this.#suggest(id, act.text, actor)
      case 'steer':
        return tasks.act(id, { type: 'steered', text: act.text }, actor, () => ({
          data: { risks: assessText(act.text) },
        }))
      case 'stop':
        return tasks.act(id, { type: 'stopped', text: act.text }, actor, () => ({
          surface: { closeAll: true },
        }))
      case 'pause':
        return tasks.act(id, { type: 'paused' }, actor)
      case 'resume':
        return this.#resume(id, act.instruction, act.budget, actor)
      case 'discard': {
        const task = tasks.act(id, { type: 'discarded' }, actor, decided(null))
        await this.#deps.loop.settled(id)
        await this.#deps.worktrees.discard(placeOf(task))
        return task
      }
    }
  }

  /** On a DRAFT the suggestion becomes part of the goal and is read for risks; on a halted task it resumes it. */
  #suggest(id: TaskId, text: string, actor: Actor): Task {
    const { tasks, store, clock } = this.#deps
    const task = tasks.get(id)
    if (task.status !== 'DRAFT') return this.#resume(id, text, null, actor)
    const known = new Set(task.risks.map((risk) => `${risk.rule}\0${risk.text}`))
    const more = assessText(text).filter((risk) => !known.has(`${risk.rule}\0${risk.text}`))
    const surface = store.openSurface(id)
    const at = clock()
    return tasks.act(id, { type: 'suggested', text, risks: [...task.risks, ...more] }, actor, (_, next) => ({
      surface: {
        ...decide(surface, next, { action: 'suggest', text, actor, at }),
        open: openSurface(next, at),
      },
    }))
  }

  #resume(id: TaskId, instruction: string | null, more: Partial<Budget> | null, actor: Actor): Task {
    const task = this.#deps.tasks.get(id)
    const budget = more === null ? null : { ...task.budget, ...more }
    const after = left({ ...task, budget: budget ?? task.budget })
    // What is validated only has to be handed over, which costs neither a step nor time.
    const handover = task.outcome !== null && instruction === null
    if (!handover && (after.steps <= 0 || after.ms <= 0)) {
      const what =
        after.steps <= 0 ? `${task.spent.steps} steps` : `${Math.ceil(task.spent.ms / 60_000)} minutes`
      const flag =
        after.steps <= 0
          ? `--steps ${task.spent.steps + 4}`
          : `--minutes ${Math.ceil(task.spent.ms / 60_000) + 10}`
      throw new Failure(
        'conflict',
        `Task ${id} has used ${what}, all of its budget: give it more, such as ${flag}.`,
      )
    }
    // The local user owns the data folder: asking for it is the recorded approval of what a rule would question.
    const risks = instruction === null ? [] : assessText(instruction)
    return this.#deps.tasks.act(id, { type: 'resumed', instruction, budget }, actor, () => ({
      data: { risks },
    }))
  }

  events(id: TaskId, after: number) {
    this.#deps.tasks.get(id)
    return this.#deps.store.events(id, after, 1000)
  }

  checkpoints(id: TaskId) {
    this.#deps.tasks.get(id)
    return this.#deps.store.checkpoints(id)
  }

  async diff(id: TaskId, step: number | null): Promise<string> {
    const task = this.#deps.tasks.get(id)
    if (task.delivery === 'discarded')
      throw new Failure('conflict', `Task ${id} is discarded: its work is gone.`)
    const kept = this.#deps.store.checkpoints(id).filter((row) => row.commit !== null && row.step > 0)
    if (step === null) {
      return task.head === task.base.commit
        ? ''
        : this.#deps.worktrees.diff(placeOf(task), task.base.commit, task.head)
    }
    const index = kept.findLastIndex((row) => row.step === step)
    const to = kept[index]?.commit
    if (to == null) throw new Failure('not_found', `Task ${id} has no checkpoint of step ${step}.`)
    const from = kept.slice(0, index).findLast((row) => row.step < step)?.commit ?? task.base.commit
    return this.#deps.worktrees.diff(placeOf(task), from, to)
  }

  logs(id: TaskId, step: number | null): Promise<string> {
    this.#deps.tasks.get(id)
    return this.#deps.outputs.read(id, step)
  }

  explain(request: TaskRequest): Promise<Explanation> {
    return explain(this.#deps, request)
  }

  doctor() {
    return doctor({ ...this.#deps, diskFreeMb: this.#deps.defaults.policy.limits.diskFreeMb })
  }

  watch(id: TaskId, after: number, signal: AbortSignal): AsyncIterable<Sight> {
    this.#deps.tasks.get(id)
    return watch(this.#deps.store, this.#deps.bus, id, after, signal)
  }

  attend(id: TaskId): void {
    this.#deps.tasks.get(id)
    this.#deps.loop.attend(id)
  }
}
