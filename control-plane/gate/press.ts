import type { Caller } from '../../src/domain/caller.ts'
import type { Act } from '../../src/domain/control-plane.ts'
import {
  decisionId,
  type Decisions,
  type MergeOffer,
  nonceOf,
  parseDecisionId,
  type Pressed,
  termsOf,
} from '../../src/domain/decision.ts'
import { canonicalJson } from '../../src/domain/canonical-json.ts'
import type { DeliveryWay } from '../../src/domain/delivery/pull.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { RepositoryDefaults } from '../../src/domain/repository-defaults.ts'
import { actRefusal } from '../../src/domain/rights.ts'
import { rulesOf } from '../../src/domain/standing.ts'
import type { Task } from '../../src/domain/task.ts'
import { useRefusal } from '../store/decisions.ts'
import type { Surface } from '../store/store.ts'
import { type ActDeps, perform } from './act.ts'
import { Guessing, type Misses } from './misses.ts'
import { offeredActions, openSurface } from './surfaces.ts'
import { mergeAsked } from './merge.ts'
import { pullOffer } from './pull.ts'
import { tooLate, whoDecided } from './too-late.ts'

export interface PressDeps extends ActDeps {
  /** What nonces are made with: the same for as long as the installation has its key. */
  readonly nonceKey: () => string
  readonly misses: Misses
}

/** What is offered on a task, to this caller, and what was decided last. Writes nothing. */
export function decisionsOf(deps: PressDeps, id: TaskId, caller: Caller): Decisions {
  const task = deps.tasks.get(id)
  const surface = deps.store.openSurface(id)
  const last = deps.store.lastDecision(id)
  const decided =
    last === null || last.usedAction === null || last.usedBy === null
      ? null
      : { action: last.usedAction, by: last.usedBy, text: last.text, at: last.closedAt ?? last.openedAt }
  const offer = surface === null ? null : offered(deps, surface, task, caller)
  const configured = configuredFor(deps, task)
  const may = (way: DeliveryWay): boolean =>
    surface?.actions.includes(way) === true && actRefusal(caller, way, task) === null
  const merge = may('merge') ? mergeOffer(task, configured) : null
  const pull = may('pull-request') ? pullOffer(task, configured) : null
  return { taskId: id, status: task.status, revision: task.revision, offer, merge, pull, last: decided }
}

function configuredFor({ defaults }: PressDeps, task: Task): RepositoryDefaults {
  return defaults?.repository?.(task.repository.path) ?? {}
}

function mergeOffer(task: Task, configured: RepositoryDefaults): MergeOffer {
  const asked = mergeAsked(task, { into: null, how: null }, configured)
  return { ...asked, accepts: rulesOf(task) }
}

/** What is shown beside a button, and where that leads; null where its name says it all. */
function shownWith(action: string, task: Task, configured: RepositoryDefaults): string | null {
  if (action === 'merge') return canonicalJson(mergeOffer(task, configured))
  if (action !== 'pull-request') return null
  return canonicalJson([pullOffer(task, configured), configured.delivery?.pull?.remote ?? null])
}

function offered(deps: PressDeps, surface: Surface, task: Task, caller: Caller) {
  const { clock, nonceKey } = deps
  const { id, openedAt, expiresAt, revision, actions } = surface
  const key = nonceKey()
  const configured = configuredFor(deps, task)
  const other = otherWay(configured)
  const choices = actions
    .filter((action) => isButton(action) && action !== other && actRefusal(caller, action, task) === null)
    .map((action) => {
      const terms = shownWith(action, task, configured)
      return { action, id: decisionId(key, { surface: id, taskId: task.id, action, revision, terms }) }
    })
  return choices.length === 0 ? null : { openedAt, expiresAt, expired: expiresAt <= clock(), choices }
}

/** Of the two ways to deliver, the one that is not offered; a command takes it all the same. */
function otherWay({ delivery }: RepositoryDefaults): Button {
  return delivery?.way === 'pull-request' && delivery.pull !== undefined ? 'merge' : 'pull-request'
}

/**
 * Decides by the button of this id. Throws `Failure`: `not_allowed`, `Guessing` after too many that were no buttons,
 * `not_found` (no button of this task), `conflict` with what became of it and who did that, `bad_request`.
 */
export function press(
  deps: PressDeps,
  id: TaskId,
  button: string,
  text: string | null,
  caller: Caller,
): Task {
  const { tasks, store, clock } = deps
  refuseGuessing(deps, caller)
  const task = tasks.get(id)
  const pressed = parseDecisionId(button)
  const action = pressed?.action ?? ''
  if (pressed === null || pressed.taskId !== id || !isButton(action)) return missed(deps, id, caller)
  const refused = actRefusal(caller, action, task)
  if (refused !== null) throw new Failure('not_allowed', refused)
  const surface = surfaceOf(deps, pressed)
  if (surface === null) return missed(deps, id, caller)
  const reason = useRefusal(surface, { id: surface.id, action, actor: caller.actor, text, at: clock() }, task)
  if (reason === null) {
    if (!isAsShown(deps, surface, task, pressed)) throw changed(deps, task, caller)
    return perform(deps, id, actOf(action, text, task), { caller, shown: surface.revision, surface })
  }
  // Once it is replaced it is closed as well, and the same is to be said.
  const over = surface.usedAction === null && surface.expiresAt <= clock()
  if (over && offeredActions(task).includes(action) && surface.revision === task.revision)
    throw expired(deps, task, caller)
  const last = reason === 'used' ? null : store.lastDecision(id)
  const who = last === null ? '' : `${whoDecided(last)} `
  throw new Failure('conflict', `${who}${tooLate(task, { kind: 'lost', reason, now: task, surface })}`)
}

/**
 * Offers a decision again in the place of what is open, so that those are told once more who are told of tasks. Throws
 * `Failure`: `not_found`, `not_allowed`, `conflict` where nothing is to be decided.
 */
export function offerAgain({ tasks, clock }: PressDeps, id: TaskId, caller: Caller): void {
  const task = tasks.get(id)
  const refused = actRefusal(caller, 'suggest', task)
  if (refused !== null) throw new Failure('not_allowed', refused)
  if (offeredActions(task).length === 0)
    throw new Failure('conflict', `Task ${id} is ${task.status}: there is nothing to decide.`)
  tasks.offer(task, openSurface(task, clock()), caller.actor)
}

/** The surface whose button this is, also one that is closed; null where it is none of this task. */
function surfaceOf({ store, nonceKey }: PressDeps, { taskId, action, nonce }: Pressed): Surface | null {
  const key = nonceKey()
  const fits = ({ id, revision, actions }: Surface): boolean =>
    actions.includes(action) && nonceOf(key, { surface: id, taskId, action, revision }) === nonce
  return store.surfaces(taskId).find(fits) ?? null
}

/** Whether a button would do now what it was shown to do: the configuration may be another since. */
function isAsShown(deps: PressDeps, { id, revision }: Surface, task: Task, pressed: Pressed): boolean {
  const { action } = pressed
  const configured = configuredFor(deps, task)
  if (action === otherWay(configured)) return false
  const terms = shownWith(action, task, configured)
  return pressed.terms === termsOf(deps.nonceKey(), { surface: id, taskId: task.id, action, revision, terms })
}

/** Puts a fresh surface in the place of one whose button would do something else by now, and says so. */
function changed({ tasks, clock }: PressDeps, task: Task, { actor }: Caller): Failure {
  tasks.offer(task, openSurface(task, clock()), actor)
  return new Failure(
    'conflict',
    `What this button showed has changed, and nothing was decided: look at task ${task.id} and press again on the new one.`,
  )
}

/** Puts a fresh surface in the place of an expired one, and says so. */
function expired(deps: PressDeps, task: Task, { actor }: Caller): Failure {
  const open = deps.store.openSurface(task.id)
  const now = deps.clock()
  if (open === null || open.expiresAt <= now) deps.tasks.offer(task, openSurface(task, now), actor)
  return new Failure(
    'conflict',
    `That offer has expired, and nothing was decided. A fresh one is open: look at task ${task.id} and decide again.`,
  )
}

function refuseGuessing({ misses, clock }: PressDeps, { actor }: Caller): void {
  const wait = misses.wait(actor, clock())
  if (wait > 0) throw new Guessing(wait)
}

function missed({ misses, clock }: PressDeps, id: TaskId, { actor }: Caller): never {
  misses.add(actor, clock())
  throw new Failure(
    'not_found',
    `That is no button of task ${id}: ask for its decisions and take one from there.`,
  )
}

type Button = 'approve' | 'reject' | 'suggest' | 'merge' | 'pull-request' | 'undo' | 'discard'
const buttons: readonly string[] = [
  'approve',
  'reject',
  'suggest',
  'merge',
  'pull-request',
  'undo',
  'discard',
] satisfies readonly Button[]
const isButton = (action: string): action is Button => buttons.includes(action)

/** Whoever presses to deliver it was shown the marks beside the button, and accepts each of them. */
function actOf(action: Button, text: string | null, task: Task): Act {
  if (action === 'reject') return { act: action, text }
  if (action === 'suggest') {
    if (text !== null) return { act: action, text }
    throw new Failure('bad_request', 'A suggestion needs words: send them as `text`.')
  }
  if (text !== null)
    throw new Failure('bad_request', `The button ${action} takes no text: suggest instead, or leave it out.`)
  const accept = rulesOf(task)
  if (action === 'merge') return { act: action, into: null, how: null, accept }
  return action === 'pull-request' ? { act: action, into: null, draft: null, accept } : { act: action }
}
