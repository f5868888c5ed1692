import type { Millis } from '../brand.ts'
import type { Merge } from '../delivery/merge.ts'
import type { Refusal } from '../delivery/refusal.ts'
import { isSamePlace, type Pull, pullName } from '../delivery/pull.ts'
import type { Input, InputType } from '../input.ts'
import { isDelivering, isWorking, type Phase, phases, type Task } from '../task.ts'
import { describe } from './describe.ts'
import { haltOf } from './halt.ts'
import { guards, type Row, table, taskGuards } from './table.ts'

/** A transition that may be written: the task as it will be, and the sentence for its event. */
export interface Changed {
  readonly kind: 'changed'
  readonly task: Task
  readonly text: string
}

/** Nothing is written; the sentence says why and what is possible instead. */
export interface Refused {
  readonly kind: 'refused'
  readonly text: string
}

const personActs: readonly InputType[] = [
  'approved',
  'rejected',
  'suggested',
  'steered',
  'stopped',
  'paused',
  'resumed',
  'merge_decided',
  'pull_decided',
  'undo_decided',
  'pull_merged',
  'discarded',
]

const verbs: Partial<Record<InputType, string>> = {
  approved: 'approve',
  rejected: 'reject',
  suggested: 'suggest',
  steered: 'steer',
  stopped: 'stop',
  paused: 'pause',
  resumed: 'resume',
  merge_decided: 'merge',
  pull_decided: 'pull-request',
  undo_decided: 'undo',
  pull_merged: 'pull-ended',
  pull_closed: 'pull-ended',
  reviewed: 'review',
  review_withdrawn: 'withdraw a review',
  superseded: 'request changes',
  discarded: 'discard',
}

/** What a person can do with a task now, as verbs. */
export function possibleActs(task: Task): readonly string[] {
  if (task.delivery === 'discarded') return []
  return personActs
    .filter((act) => table.some((row) => row.on === act && mayFit(row, task)))
    .map((act) => verbs[act] ?? act)
}

/** Whether a row fits as far as the task decides that. */
function mayFit({ from, when }: Row, task: Task): boolean {
  if (!from.includes(task.status)) return false
  return when === null || !isTaskGuard(when) || taskGuards[when](task)
}

function isTaskGuard(name: string): name is keyof typeof taskGuards {
  return name in taskGuards
}

/** Whether the work of a task may be changed by another task now. */
export function mayBeSuperseded(task: Task): boolean {
  return task.delivery !== 'discarded' && table.some((row) => row.on === 'superseded' && mayFit(row, task))
}

/**
 * Whether a transition of a task gives the work back that it was made to change: it is rejected or discarded, and was not
 * merged, which brings that work along. Only once: by the next time another task may change it.
 */
export function givesBack(before: Task, after: Task): boolean {
  if (before.parentTaskId === null || before.kind === 'question' || isGivenUp(before)) return false
  return isGivenUp(after) && before.delivery !== 'merged' && before.delivery !== 'pr_merged'
}

function isGivenUp({ status, delivery }: Task): boolean {
  return status === 'REJECTED' || delivery === 'discarded'
}

/**
 * The same as a sentence, and that the work can be reviewed.
 * @param proposes whether pull requests of its repository can be opened
 */
export function possibleNow(task: Task, proposes: boolean): string {
  const review = mayBeSuperseded(task) ? ['review'] : []
  const acts = [...review, ...possibleActs(task).filter((act) => proposes || act !== 'pull-request')]
  if (isDelivering(task))
    return `It is being delivered: \`cofferdam task watch ${task.id}\` follows that, and goes on with it where nobody does.`
  return acts.length > 0 ? `Possible now: ${acts.join(', ')}.` : 'Nothing more can be done with it.'
}

/**
 * Applies an input to a task by the table. Pure: `now` is the time of the event.
 * @param proposes whether pull requests of its repository can be opened: what a refusal may name
 */
export function transition(task: Task, input: Input, now: Millis, proposes = true): Changed | Refused {
  const row = table.find((candidate) => fits(candidate, task, input))
  const over = task.delivery === 'discarded' && verbs[input.type] !== undefined
  if (row === undefined || over) {
    return { kind: 'refused', text: refusal(task, input, proposes) }
  }
  const status = row.to === 'same' ? task.status : row.to
  const patched: Task = { ...task, ...patch(task, input) }
  const next: Task = {
    ...patched,
    status,
    phase: phaseOf(row, task, input),
    halt: haltOf(row.to, task, input),
    version: task.version + 1,
    revision: task.revision + (revises(task, patched) ? 1 : 0),
    leaseUntil: isWorking({ status }) ? patched.leaseUntil : null,
    updatedAt: now,
  }
  return { kind: 'changed', task: next, text: describe(input, task, next) }
}

function fits(row: Row, task: Task, input: Input): boolean {
  if (row.on !== input.type || !row.from.includes(task.status)) return false
  return row.when === null || guards[row.when](task, input)
}

function refusal(task: Task, input: Input, proposes: boolean): string {
  const verb = verbs[input.type]
  if (verb === undefined) return `Task ${task.id} is ${task.status}: ${input.type} does not apply any more.`
  const state = stateOf(task)
  if (task.kind === 'question' && input.type === 'steered' && possibleActs(task).includes('pause'))
    return `Task ${task.id} is a question, which takes no further word while it is ${state}: ask the rest when it is answered.`
  const more =
    task.kind === 'question' && state === 'APPLIED'
      ? ` It is answered: \`cofferdam ask --follow-up ${task.id} QUESTION\` asks more.`
      : ''
  const what = task.kind === 'question' && verb === 'steer' ? ' with a question' : ''
  const deed = verb === 'pull-ended' ? 'to say what became of its pull request' : verb
  return `Task ${task.id} is ${state}: ${deed} is not possible${what}. ${possibleNow(task, proposes)}${more}`
}

function stateOf({ status, delivery, merge, pull }: Task): string {
  switch (delivery) {
    case 'discarded':
      return 'discarded'
    case 'delivering':
      return 'being delivered'
    case 'merged':
      return `merged into ${merge?.into}`
    case 'pr_open':
      return `proposed as ${pull === null ? 'a pull request' : pullName(pull)}`
    case 'pr_merged':
      return 'merged where it was proposed'
    case 'superseded':
      return 'superseded by another task'
    default:
      return status
  }
}

function phaseOf(row: Row, task: Task, input: Input): Phase | null {
  if (row.phase === 'same') return task.phase
  if (row.phase === 'input')
    return input.type === 'advanced' || input.type === 'merge_advanced' ? input.phase : task.phase
  if (row.phase === 'salvage?') return mayLeaveThings(task) ? 'salvage' : null
  return row.phase
}

/** The phases in which a box or a half-made step may be left over. */
const leavesThings: ReadonlySet<Phase | null> = new Set(phases.filter((phase) => phase !== 'prepare'))

/** A task that waits in the queue may have a box from before: the process that ran it left it to the next. */
function mayLeaveThings(task: Task): boolean {
  return (
    leavesThings.has(task.phase) || (task.attempt > 0 && (task.phase === null || task.phase === 'prepare'))
  )
}

/** The fields that an input writes, besides status, phase and halt. */
function patch(task: Task, input: Input): Partial<Task> {
  switch (input.type) {
    case 'suggested':
      return { goal: `${task.goal}\n\n${input.text}`, risks: input.risks }
    case 'steered':
      return { instruction: joined(task.instruction, input.text) }
    case 'resumed':
      return {
        instruction: joined(task.instruction, input.instruction),
        budget: input.budget ?? task.budget,
        losses: 0,
        progress: { signature: '', repeats: 0 },
        ...(input.instruction === null ? {} : { outcome: null, marks: null }),
        ...(task.halt?.reason === 'approval' ? { setupKey: null } : {}),
      }
    case 'claimed':
      return { fence: task.fence + 1, leaseUntil: input.leaseUntil }
    case 'advanced':
      return { ...input.facts }
    case 'begun':
      return {
        step: input.step,
        attempt: input.attempt,
        instruction: unread(task.instruction, input.consumed),
      }
    case 'agent_finished':
      return { losses: 0 }
    case 'violated':
      return {
        violations: task.violations + 1,
        spent: { ...task.spent, steps: task.spent.steps + 1 },
        priorFailure: null,
      }
    case 'tested':
      return { priorFailure: input.priorFailure, losses: 0 }
    case 'checkpointed':
      return {
        head: input.head,
        progress: input.progress,
        spent: { ...task.spent, steps: task.spent.steps + 1 },
        ...(input.verdict.kind === 'apply' && task.instruction === null
          ? { outcome: input.verdict.outcome, marks: input.marks }
          : { outcome: null, marks: null }),
      }
    case 'answered': {
      const { verdict } = input
      return {
        losses: 0,
        spent: { ...task.spent, steps: task.spent.steps + 1 },
        priorFailure: verdict.kind === 'again' ? verdict.text : null,
        answer: verdict.kind === 'answer' ? verdict.answer : task.answer,
      }
    }
    case 'salvaged':
      return { head: input.head }
    case 'requeued':
      return { losses: task.losses + (input.crashed ? 1 : 0) }
    case 'lost':
      return { losses: task.losses + 1 }
    case 'discarded':
      return { delivery: 'discarded' }
    case 'superseded':
      return { delivery: 'superseded' }
    case 'given_back':
      return { delivery: 'none' }
    case 'merge_decided': {
      const { into, how, at, accepted } = input
      return {
        delivery: 'delivering',
        merge: { into, how, accepted, at, tries: 0, from: null, commit: null, said: null, refusal: null },
        ...withPull(task, { refusal: null }),
      }
    }
    case 'merge_advanced':
      return withMerge(task, input.made ?? {})
    case 'merge_overtaken':
      return withMerge(task, { tries: (task.merge?.tries ?? 0) + 1, from: null, commit: null })
    case 'merged':
      return {
        delivery: 'merged',
        ...withMerge(task, {
          said: input.text,
          ...(input.at === undefined ? {} : { from: input.at, commit: input.at }),
        }),
      }
    case 'merge_refused':
      return {
        delivery: deliveryAfter[input.why],
        ...withMerge(task, { said: input.text, refusal: input.why }),
      }
    case 'undo_decided':
      return { delivery: 'delivering', ...withMerge(task, { said: null }) }
    case 'undone':
      return { delivery: 'undone', ...withMerge(task, { said: input.text }) }
    case 'undo_refused':
      return { delivery: 'merged', ...withMerge(task, { said: input.text }) }
    case 'pull_decided': {
      const before = task.pull
      const pushed = before !== null && isSamePlace(before, input.to) ? before.pushed : null
      return {
        delivery: 'delivering',
        pull: {
          ...input.to,
          accepted: input.accepted,
          pushed,
          number: null,
          url: null,
          said: null,
          unfollowed: null,
          refusal: null,
        },
        ...withMerge(task, { refusal: null }),
      }
    }
    case 'pull_pushed':
      return withPull(task, { pushed: input.pushed })
    case 'pull_opened': {
      const { number, url, text: said } = input
      return { delivery: 'pr_open', ...withPull(task, { number, url, said }) }
    }
    case 'pull_refused':
      return { delivery: 'none', ...withPull(task, { said: input.text, refusal: input.why }) }
    case 'pull_looked':
      return withPull(task, { unfollowed: input.unfollowed })
    case 'pull_merged':
      return { delivery: 'pr_merged', ...withPull(task, { said: input.text, unfollowed: null }) }
    case 'pull_closed':
      return { delivery: 'pr_closed', ...withPull(task, { said: input.text, unfollowed: null }) }
    case 'approved':
    case 'rejected':
    case 'stopped':
    case 'paused':
    case 'candidate_made':
    case 'handed_over':
    case 'noticed':
    case 'postponed':
    case 'put_away':
    case 'reviewed':
    case 'review_withdrawn':
    case 'merge_begun':
    case 'budget_spent':
    case 'halted':
    case 'failed':
      return {}
  }
}

/** What a merge that was refused leaves. */
const deliveryAfter: Readonly<Record<Refusal, Task['delivery']>> = {
  foreign: 'none',
  diverged: 'conflict',
  conflict: 'conflict',
  setup: 'rejected',
  test: 'rejected',
  other: 'none',
}

function withMerge({ merge }: Task, more: Partial<Merge>): Pick<Task, 'merge'> {
  return { merge: merge === null ? null : { ...merge, ...more } }
}

function withPull({ pull }: Task, more: Partial<Pull>): Pick<Task, 'pull'> {
  return { pull: pull === null ? null : { ...pull, ...more } }
}

/** What was said after the prompt was written is for the next one. */
function unread(instruction: string | null, consumed: string | null): string | null {
  if (instruction === null || consumed === null) return instruction
  return instruction === consumed ? null : instruction.replace(consumed, '').trimStart() || null
}

function joined(before: string | null, more: string | null): string | null {
  if (more === null || more.trim() === '') return before
  return before === null ? more : `${before}\n\n${more}`
}

/** Goal, budget, head and where the work was delivered are what a person decides on; a change of them makes older decisions void. */
function revises(before: Task, after: Task): boolean {
  const parts = ['steps', 'seconds', 'tokens', 'costUsd'] as const
  const budget = parts.some((part) => before.budget[part] !== after.budget[part])
  return (
    budget || before.goal !== after.goal || before.head !== after.head || before.delivery !== after.delivery
  )
}
