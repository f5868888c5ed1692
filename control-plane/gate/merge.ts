import { branchProblem, isTaskBranch, type MergeWay } from '../../src/domain/delivery/merge.ts'
import type { Act } from '../../src/domain/control-plane.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { Input } from '../../src/domain/input.ts'
import { type AcceptRule, acceptRules } from '../../src/domain/marks/mark.ts'
import type { RepositoryDefaults } from '../../src/domain/repository-defaults.ts'
import { quotedInline } from '../../src/domain/shell.ts'
import { rulesOf } from '../../src/domain/standing.ts'
import type { Task } from '../../src/domain/task.ts'
import { possibleActs } from '../../src/domain/transition/apply.ts'

type Wanted = Extract<Act, { act: 'merge' }>

/**
 * What a decision to merge comes to. Throws `Failure`: `bad_request` where the branch cannot be one, `conflict` where
 * something about the work wants an owner's word and is not named.
 */
export function mergeDecided(
  task: Task,
  wanted: Wanted,
  configured: RepositoryDefaults,
  now: number,
): Extract<Input, { type: 'merge_decided' }> {
  const { into, how } = mergeAsked(task, wanted, configured)
  const problem = branchProblem(into)
  if (problem !== null) throw new Failure('bad_request', `${problem} Name the branch to merge into.`)
  if (isTaskBranch(into))
    throw new Failure('bad_request', `${into} is a task's own branch: name the branch to merge into.`)
  // Who cannot merge it at all need not name anything first.
  if (possibleActs(task).includes('merge')) refuseUnnamed(task, commandOf(task, wanted), wanted.accept)
  return { type: 'merge_decided', into, how, at: now, accepted: acceptedOf(task, wanted.accept) }
}

/** What of that is accepted: whether others' commits would go with the work is only seen when it is delivered. */
export function acceptedOf(task: Task, accept: readonly AcceptRule[]): readonly AcceptRule[] {
  const rules = new Set<AcceptRule>([...rulesOf(task), 'foreign'])
  return acceptRules.filter((rule) => accept.includes(rule) && rules.has(rule))
}

/** Where to and how, completed by what is configured: else the branch that the task began from, and a commit of its own. */
export function mergeAsked(
  { base }: Pick<Task, 'base'>,
  { into, how }: Pick<Wanted, 'into' | 'how'>,
  { delivery = {} }: RepositoryDefaults,
): { readonly into: string; readonly how: MergeWay } {
  return { into: into ?? delivery.into ?? base.ref, how: how ?? delivery.how ?? 'merge' }
}

/** The command that asks for the same, but for what it accepts. */
function commandOf({ id }: Task, { into, how }: Wanted): string {
  const branch = into === null ? '' : ` --into ${quotedInline(into)}`
  return `task merge ${id}${branch}${how === null ? '' : ` --how ${how}`}`
}

/**
 * Throws `Failure('conflict')` where something about the work wants an owner's word and is not named.
 * @param command what asks for the same again, without `cofferdam` and what it accepts
 */
export function refuseUnnamed(task: Task, command: string, accept: readonly AcceptRule[]): void {
  const missing = rulesOf(task).filter((rule) => !accept.includes(rule))
  if (missing.length === 0) return
  const marks = (task.marks ?? []).filter(({ rule }) => missing.includes(rule))
  const texts = marks.slice(0, 5).map(({ text }) => text)
  const more = marks.length > texts.length ? ` And ${marks.length - texts.length} more.` : ''
  const why = task.marks === null ? 'Nobody has looked through what it changes.' : `${texts.join(' ')}${more}`
  const again = `\`cofferdam ${command} --accept ${rulesOf(task).join(',')}\``
  throw new Failure('conflict', `${why} Look at that, and name it to deliver it all the same: ${again}.`)
}
