import type { Caller } from '../../src/domain/caller.ts'
import type { Act } from '../../src/domain/control-plane.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { RepositoryDefaults } from '../../src/domain/repository-defaults.ts'
import { actRefusal } from '../../src/domain/rights.ts'
import { furtherRisks } from '../../src/domain/risk/risk.ts'
import { risksInText } from '../../src/domain/risk/said.ts'
import type { Budget, Task } from '../../src/domain/task.ts'
import { possibleActs } from '../../src/domain/transition/apply.ts'
import { closed } from '../loop/attempts.ts'
import type { Store, Surface } from '../store/store.ts'
import type { Tasks } from '../tasks.ts'
import { mergeDecided } from './merge.ts'
import { readLater } from './later.ts'
import { pullDecided, pullEnded } from './pull.ts'
import { refuseSpent, refuseSuggestion } from './refusals.ts'
import { decide, offerOf, openSurface } from './surfaces.ts'

export interface ActDeps {
  readonly store: Store
  readonly tasks: Tasks
  /** What a task gets where its request does not say; without it only what it was granted counts. */
  readonly defaults?: { readonly budget: Budget; repository?(path: string): RepositoryDefaults }
  /** Epoch milliseconds. */
  readonly clock: () => number
}

/** Who does it, on what: `shown` is the revision of the task that they decided on, null where it is not bound to one. */
export interface Doer {
  readonly caller: Caller
  readonly shown: number | null
  /** The place whose button they pressed, which has to be good for it. */
  readonly surface?: Surface
}

/** What a person does with a task, on the record. Throws `Failure('not_found' | 'conflict' | 'not_allowed')`. */
export function perform(deps: ActDeps, id: TaskId, act: Act, doer: Doer): Task {
  const { store, tasks, clock } = deps
  const { caller, shown } = doer
  const { actor } = caller
  const refused = actRefusal(caller, act.act, tasks.get(id))
  if (refused !== null) throw new Failure('not_allowed', refused)
  const surface = doer.surface ?? store.openSurface(id)
  const pressed = doer.surface !== undefined
  const decided = (text: string | null) => (task: Task) => ({
    surface: decide(surface, task, { action: act.act, text, actor, at: clock() }, pressed),
  })
  // An attempt that stayed open would keep its box from those who clear up.
  const gone = (task: Task) => {
    const open = store.openCheckpoint(id)
    return { ...decided(null)(task), checkpoints: open === null ? [] : [closed(open, 'dropped', clock())] }
  }
  switch (act.act) {
    case 'approve':
      return tasks.act(id, { type: 'approved' }, actor, decided(null), shown)
    case 'reject':
      return tasks.act(id, { type: 'rejected', text: act.text }, actor, decided(act.text), shown)
    case 'suggest':
      return suggest(deps, id, act.text, doer)
    case 'steer': {
      const asked = { text: act.text, budget: null }
      const along = (task: Task) => ({
        data: { risks: readLater(task, asked, caller, deps.defaults?.budget) },
      })
      return tasks.act(id, { type: 'steered', text: act.text }, actor, along, shown)
    }
    case 'stop': {
      const along = () => ({ surface: { closeAll: true } })
      return tasks.act(id, { type: 'stopped', text: act.text }, actor, along, shown)
    }
    case 'pause':
      return tasks.act(id, { type: 'paused' }, actor, undefined, shown)
    case 'resume':
      return resume(deps, id, act, doer)
    case 'discard':
      return tasks.act(id, { type: 'discarded' }, actor, gone, shown)
    case 'merge': {
      const task = tasks.get(id)
      const configured = deps.defaults?.repository?.(task.repository.path) ?? {}
      // Whoever may merge what is not marked may do that, and accept nothing.
      const wanted = caller.role === 'owner' ? act : { ...act, accept: [] }
      const input = mergeDecided(task, wanted, configured, clock())
      const { into, how, accepted } = input
      const along = (before: Task) => ({ ...decided(null)(before), data: { into, how, accepted } })
      return tasks.act(id, input, actor, along, shown)
    }
    case 'pull-request': {
      const task = tasks.get(id)
      const configured = deps.defaults?.repository?.(task.repository.path) ?? {}
      const wanted = caller.role === 'owner' ? act : { ...act, accept: [] }
      const input = pullDecided(task, wanted, configured, clock())
      const { to, accepted } = input
      const along = (before: Task) => ({ ...decided(null)(before), data: { ...to, accepted } })
      return tasks.act(id, input, actor, along, shown)
    }
    case 'pull-ended': {
      const along = (before: Task, next: Task) => ({
        surface: { ...decided(null)(before).surface, ...offerOf(next, clock()) },
      })
      return tasks.act(id, pullEnded(tasks.get(id), act.as), actor, along, shown)
    }
    case 'undo':
      return tasks.act(id, { type: 'undo_decided' }, actor, decided(null), shown)
  }
}

/** On a DRAFT the suggestion becomes part of the goal and is read for risks; on a halted task it resumes it. */
function suggest(deps: ActDeps, id: TaskId, text: string, doer: Doer): Task {
  const { tasks, store, clock } = deps
  const task = tasks.get(id)
  if (task.status !== 'DRAFT') {
    refuseSuggestion(tasks, task)
    return resume(deps, id, { instruction: text, budget: null }, doer)
  }
  const surface = doer.surface ?? store.openSurface(id)
  const pressed = doer.surface !== undefined
  const at = clock()
  const along = (before: Task, next: Task) => ({
    surface: {
      ...decide(surface, before, { action: 'suggest', text, actor: doer.caller.actor, at }, pressed),
      open: openSurface(next, at),
    },
  })
  const risks = [...task.risks, ...furtherRisks(task.risks, risksInText(text, task.goal))]
  return tasks.act(id, { type: 'suggested', text, risks }, doer.caller.actor, along, doer.shown)
}

type Resume = Extract<Act, { act: 'resume' }>

function resume(
  { store, tasks, defaults }: ActDeps,
  id: TaskId,
  wanted: Pick<Resume, 'instruction' | 'budget'>,
  { caller, shown }: Doer,
): Task {
  const { instruction } = wanted
  const task = tasks.get(id)
  const budget = budgetAfter(task, wanted.budget)
  // Who cannot resume it at all need not give it more first.
  if (possibleActs(task).includes('resume')) refuseSpent(task, budget ?? task.budget, instruction)
  const along = (before: Task) => ({
    data: {
      risks: readLater(
        before,
        {
          text: instruction,
          budget,
          setsUp: before.halt?.reason === 'approval',
          undecided: isUndecided(store, before),
        },
        caller,
        defaults?.budget,
      ),
    },
  })
  return tasks.act(id, { type: 'resumed', instruction, budget }, caller.actor, along, shown)
}

/** Whether it never was to run: a DRAFT that was stopped. Each claim has a fence of its own, so that most need no look. */
function isUndecided(store: Store, { id, fence }: Task): boolean {
  if (fence > 0) return false
  let drafted = false
  for (let seq = 0; ;) {
    const events = store.events(id, seq, 100)
    drafted ||= events.some(({ to }) => to === 'DRAFT')
    const last = events.at(-1)
    if (last === undefined) return drafted
    if (events.some(({ to }) => to === 'PENDING')) return false
    seq = last.seq
  }
}

/** A question has one step, which is used up whenever it is halted after it: to go on with it means one more. */
function budgetAfter(task: Task, wanted: Resume['budget']): Budget | null {
  const isUsedUp = task.kind === 'question' && task.spent.steps >= task.budget.steps
  const more = isUsedUp && wanted?.steps === undefined ? { steps: task.spent.steps + 1 } : {}
  return wanted === null && !isUsedUp ? null : { ...task.budget, ...wanted, ...more }
}
