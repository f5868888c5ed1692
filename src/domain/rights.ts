import type { Caller, Role } from './caller.ts'
import type { Act } from './control-plane.ts'
import type { LetterAct } from './outbox/letter.ts'
import { type Scope, usualScopes } from './scopes.ts'
import type { Actor, Task } from './task.ts'
import { possibleActs } from './transition/apply.ts'

/** Every act, by its name. */
export const acts = [
  'approve',
  'suggest',
  'reject',
  'steer',
  'resume',
  'pause',
  'stop',
  'merge',
  'pull-request',
  'undo',
  'pull-ended',
  'discard',
] as const satisfies readonly Act['act'][]

/** What an operator may do with a task of their own. What decides about it is left to owners. */
const onOwnTask: ReadonlySet<Act['act']> = new Set<Act['act']>([
  'stop',
  'pause',
  'resume',
  'steer',
  'suggest',
])

/** What an operator may do with a task of their own whose work wants no owner's word. */
const onOwnUnmarked: ReadonlySet<Act['act']> = new Set<Act['act']>(['merge', 'pull-request', 'undo'])

/** Why a caller may not submit a task; null where they may. */
export function submitRefusal({ actor, role }: Caller): string | null {
  return role === 'viewer'
    ? `${nameOf(actor)} may look, and start no task: an owner or an operator can do that.`
    : null
}

/** Why a caller may not do this with a task; null where they may. */
export function actRefusal(
  { actor, role }: Caller,
  act: Act['act'],
  { id, createdBy, marks }: Pick<Task, 'id' | 'createdBy' | 'marks'>,
): string | null {
  if (role === 'owner') return null
  if (role === 'viewer')
    return `${nameOf(actor)} may look, and not ${done(act, 'a task')}: an owner can do that.`
  if (!onOwnTask.has(act) && !onOwnUnmarked.has(act))
    return `${nameOf(actor)} is an operator, and may not ${done(act, 'a task')}: an owner can do that.`
  const own = isSame(actor, createdBy)
  if (own && onOwnUnmarked.has(act) && marks?.length !== 0)
    return `${nameOf(actor)} is an operator, and the work of task ${id} is marked: an owner can ${done(act, 'it')}.`
  return own
    ? null
    : `${nameOf(actor)} is an operator, and task ${id} is not theirs: an owner can ${done(act, 'it')}.`
}

/** To do this with something, in words: not every name of an act is a verb. */
function done(act: Act['act'], what: string): string {
  switch (act) {
    case 'pull-request':
      return `propose ${what}`
    case 'pull-ended':
      return `say what became of the pull request of ${what}`
    default:
      return `${act} ${what}`
  }
}

/** Why a caller may not review a task's work, or have it changed; null where they may: it is as to suggest something. */
export function reviewRefusal(caller: Caller, task: Pick<Task, 'id' | 'createdBy' | 'marks'>): string | null {
  const refused = actRefusal(caller, 'suggest', task)
  return refused === null ? null : refused.replaceAll(/\bsuggest\b/g, 'review')
}

/** Why a caller may not withdraw what somebody (null: nobody) said of a task's work; null where they may: it was they, or they own. */
export function withdrawalRefusal(
  caller: Caller,
  task: Pick<Task, 'id' | 'createdBy' | 'marks'>,
  by: Actor | null,
): string | null {
  const refused = reviewRefusal(caller, task)
  if (refused !== null || caller.role === 'owner' || by === null || isSame(caller.actor, by)) return refused
  return `${nameOf(caller.actor)} is an operator, and that is not what they said: an owner can withdraw it.`
}

/** Why a caller may not see to tokens and the audit log; null where they may. */
export function adminRefusal({ actor, role }: Caller): string | null {
  return role === 'owner' ? null : `${nameOf(actor)} is no owner: tokens and the audit log are for owners.`
}

/** Why a caller may not make a token that is for this; null where they may: nobody hands on more than they were given. */
export function tokenScopesRefusal({ actor, scopes }: Caller, wanted: readonly string[]): string | null {
  if (scopes === undefined) return null
  const more = wanted.filter((scope) => !scopes.includes(scope))
  return more.length === 0
    ? null
    : `${nameOf(actor)} is for ${scopes.join(', ')}, and can make no token for ${more.join(', ')}: name fewer scopes, or make it on the server.`
}

/** Why no token of this role is made for this; null where its role can use it: who lists tokens should see what they may. */
export function roleScopesRefusal(role: Role, wanted: readonly Scope[]): string | null {
  const useless = wanted.filter((scope) => !usualScopes[role].includes(scope))
  return useless.length === 0
    ? null
    : `A token of the role ${role} can use ${usualScopes[role].join(', ')}, and not ${useless.join(', ')}: leave that out, or choose another role.`
}

/** Why a caller may not do this with a letter of the outbox; null where they may. */
export function letterActRefusal({ actor, role }: Caller, act: LetterAct): string | null {
  return role === 'owner' ? null : `${nameOf(actor)} may not ${act} a letter: an owner can do that.`
}

/** What can be done with a schedule, in words. */
export type ScheduleAct = 'make' | 'change' | 'remove' | 'enable' | 'disable' | 'run'

/**
 * Why a caller may not do this with a schedule; null where they may. A schedule goes on by itself, after whoever made it
 * has lost their role, so it is the owners'. To have one run is to start a task.
 */
export function scheduleRefusal({ actor, role }: Caller, act: ScheduleAct): string | null {
  if (role === 'owner' || (role === 'operator' && act === 'run')) return null
  return role === 'viewer'
    ? `${nameOf(actor)} may look, and not ${act} a schedule: an owner can do that.`
    : `${nameOf(actor)} is an operator, and may not ${act} a schedule: an owner can do that.`
}

/** What is not about one task: to start one, to have a schedule run, to change schedules, to see to letters of the outbox. */
export const abilities = ['start', 'run_schedule', 'change_schedule', 'act_on_letter'] as const
export type Ability = (typeof abilities)[number]

/** What a caller can do at all, for whoever shows buttons. Each call is judged anew. */
export function abilitiesOf(caller: Caller): readonly Ability[] {
  const can: Readonly<Record<Ability, boolean>> = {
    start: has(caller, 'create') && submitRefusal(caller) === null,
    run_schedule: has(caller, 'decide') && scheduleRefusal(caller, 'run') === null,
    change_schedule: has(caller, 'decide') && scheduleRefusal(caller, 'change') === null,
    act_on_letter: has(caller, 'decide') && letterActRefusal(caller, 'retry') === null,
  }
  return abilities.filter((ability) => can[ability])
}

/** What a caller can do with a task as it is now. */
export function actsOf(caller: Caller, task: Task): readonly Act['act'][] {
  const possible = possibleActs(task)
  return acts.filter(
    (act) => possible.includes(act) && has(caller, 'decide') && actRefusal(caller, act, task) === null,
  )
}

const has = ({ scopes }: Caller, scope: Scope): boolean => scopes?.includes(scope) ?? true

const isSame = (one: Actor, other: Actor): boolean => one.kind === other.kind && one.id === other.id

/** How an actor is named in a sentence. */
const nameOf = ({ kind, id }: Actor): string => (kind === 'token' ? `The token ${id}` : id)
