import type { AgentChoice, AgentResult } from './agent.ts'
import type { BoxEnd, BoxKind, BoxSpec, Peaks } from './box.ts'
import type { CommitId, Millis } from './brand.ts'
import type { Merge } from './delivery/merge.ts'
import type { Pull } from './delivery/pull.ts'
import type { EgressCounts } from './egress.ts'
import type { TaskId } from './ids.ts'
import type { Mark } from './marks/mark.ts'
import type { Policy, Violation } from './policy.ts'
import type { Candidate } from './worktree.ts'

export const statuses = [
  'DRAFT',
  'PENDING',
  'RUNNING',
  'VALIDATING',
  'APPLIED',
  'BLOCKED',
  'FAILED',
  'TIMEOUT',
  'STOPPED',
  'REJECTED',
] as const
export type Status = (typeof statuses)[number]

/** How the work of an APPLIED task was found to be good: by its test, or by nothing but that it is there. */
export const outcomes = ['tested', 'untested'] as const
export type Outcome = (typeof outcomes)[number]

/** What a task is for: to change its repository, or to answer a question about it and change nothing. */
export const taskKinds = ['change', 'question'] as const
export type TaskKind = (typeof taskKinds)[number]

/**
 * Where the loop is inside RUNNING and VALIDATING. `salvage` is left over after a halt: keep what is allowed. `postponed`:
 * that was not possible for want of disk, and a resume does it. Those from `merge` on are of an APPLIED task that is being
 * delivered.
 */
export const phases = [
  'prepare',
  'setup',
  'baseline',
  'agent',
  'verify',
  'candidate',
  'test',
  'checkpoint',
  'handover',
  'salvage',
  'postponed',
  'merge',
  'merge_setup',
  'merge_test',
  'merge_move',
  'undo',
  'push',
  'pull_open',
] as const
export type Phase = (typeof phases)[number]

export const haltReasons = [
  'agent',
  'approval',
  'cost',
  'crash',
  'disk',
  'engine',
  'image',
  'no_change',
  'paused',
  'policy',
  'posture',
  'rejected',
  'repository',
  'setup',
  'steps',
  'stopped',
  'stuck',
  'time',
  'tokens',
  'worktree',
] as const
export type HaltReason = (typeof haltReasons)[number]

/** Why a task is where it is: for BLOCKED, FAILED, TIMEOUT, STOPPED and REJECTED. */
export interface Halt {
  readonly reason: HaltReason
  /** A sentence for people: what happened and what to do next. */
  readonly text: string
}

export interface Budget {
  readonly steps: number
  /** Wall time of setup, agent and test boxes. */
  readonly seconds: number
  /** Of the models that its agents ask, in and out together; null is no limit. */
  readonly tokens: number | null
  /** US dollars at the configured prices; null is no limit. */
  readonly costUsd: number | null
}

export interface Spent {
  readonly steps: number
  readonly ms: Millis
  readonly tokens: number
  readonly costUsd: number
}

export const actorKinds = ['local', 'token', 'discord', 'schedule', 'system'] as const

/**
 * Who did something: a user of this machine by their name, a token or a schedule by its name, a Discord user by their id,
 * or the control plane itself.
 */
export interface Actor {
  readonly kind: (typeof actorKinds)[number]
  readonly id: string
}

/** What a task begins with: what is run on what, and within which bounds. */
export type Terms = Pick<
  Task,
  'kind' | 'repository' | 'base' | 'agent' | 'setup' | 'test' | 'policy' | 'budget'
>

/** A reason why a task wants a person: the rule that fired and what it says. */
export interface RiskReason {
  readonly rule: string
  readonly text: string
}

export const deliveries = [
  'none',
  'delivering',
  'merged',
  'undone',
  'pr_open',
  'pr_merged',
  'pr_closed',
  'conflict',
  'rejected',
  'discarded',
  'superseded',
] as const
export type Delivery = (typeof deliveries)[number]

/** Three steps in a row with the same tree and the same failure are no progress. */
export interface Progress {
  /** Hash of the candidate's tree and the failure; '' before the first step. */
  readonly signature: string
  /** How many steps in a row had it. */
  readonly repeats: number
}

export interface Task {
  readonly id: TaskId
  readonly kind: TaskKind
  readonly status: Status
  readonly phase: Phase | null
  readonly halt: Halt | null
  /** Counts writes. */
  readonly version: number
  /** Rises when goal, budget or head change; decisions are bound to it. All else that they are about never changes. */
  readonly revision: number
  /** Rises with every claim; work under an old fence is refused. */
  readonly fence: number
  /** When a claim is over of which nothing is heard any more. On record only: the data folder's lock decides who works. */
  readonly leaseUntil: Millis | null
  /** Of a question, what is asked. */
  readonly goal: string
  /** The goal as it was first asked for, before suggestions. */
  readonly request: string
  readonly repository: { readonly path: string; readonly key: string }
  readonly base: { readonly ref: string; readonly commit: CommitId }
  /** The commit of the last checkpoint; the base's before the first. */
  readonly head: CommitId
  readonly branch: string
  readonly agent: AgentChoice
  readonly setup: string | null
  readonly test: string | null
  readonly policy: Policy
  /** SHA-256 of the policy's canonical JSON, hex. */
  readonly policyHash: string
  readonly budget: Budget
  readonly spent: Spent
  /** The step that is under way or was last; 0 before the first. */
  readonly step: number
  readonly attempt: number
  /** Steps so far in which a denied path was created. */
  readonly violations: number
  /** Attempts in a row that were lost to the engine or a crash. */
  readonly losses: number
  /** Said by a person since the last step: consumed by the next prompt. */
  readonly instruction: string | null
  /** What the test of the last step said, or its agent, where one of them failed. */
  readonly priorFailure: string | null
  /** What already failed on the base before the agent did anything; '' where nothing did, null before it was tried. */
  readonly baseline: string | null
  /** Hash over manifests and lock files that setup last ran with; null: it has to run. */
  readonly setupKey: string | null
  readonly progress: Progress
  readonly risks: readonly RiskReason[]
  /** Set when the last step was validated and only the branch has to be handed over; final when APPLIED. */
  readonly outcome: Outcome | null
  /**
   * What of the work wants an owner's decision, which names each reason, before it is delivered; set together with
   * `outcome`. Null: nobody has looked, which wants one too.
   */
  readonly marks: readonly Mark[] | null
  /** What the agent said to a question, as Markdown; null until it is answered. At most `longestAnswer` characters. */
  readonly answer: string | null
  readonly delivery: Delivery
  /** The last delivery into a branch; null where there was none. */
  readonly merge: Merge | null
  /** The last delivery as a pull request; null where there was none. */
  readonly pull: Pull | null
  /** The task whose work this one changes, from that one's head on, or the question that it follows up. */
  readonly parentTaskId: TaskId | null
  readonly createdBy: Actor
  readonly createdAt: Millis
  readonly updatedAt: Millis
}

export interface TestResult {
  readonly passed: boolean
  readonly end: BoxEnd
  readonly exitCode: number | null
  /** The end of the output, at most 16 KiB. */
  readonly tail: string
}

/**
 * What a try at a step left. The row is written before the box is made (`open`), and is the record of intent that
 * recovery reads. Step 0 holds setup and baseline.
 */
export interface Checkpoint {
  readonly taskId: TaskId
  readonly step: number
  readonly attempt: number
  readonly fence: number
  /**
   * `open`: under way. `kept`: its commit is on the branch. `partial`: kept after a halt in the middle.
   * `dropped`: nothing of it remains.
   */
  readonly state: 'open' | 'kept' | 'partial' | 'dropped'
  /** The spec of the box under way, or of the last one: what a box found after a crash is compared with. */
  readonly box: BoxSpec | null
  /** The boxes of this attempt that have ended, oldest first: what its attestation says of them. */
  readonly boxes: readonly BoxRecord[]
  /** Milliseconds of the box under way that are already charged to the task. */
  readonly charged: Millis
  /** The instruction that this step's prompt consumed. */
  readonly instruction: string | null
  readonly agent: AgentResult | null
  readonly violations: readonly Violation[]
  readonly candidate: Candidate | null
  readonly test: TestResult | null
  /** The commit that the branch was moved to. */
  readonly commit: CommitId | null
  readonly startedAt: Millis
  readonly endedAt: Millis | null
}

/** What a box was and came to. */
export interface BoxRecord {
  readonly kind: BoxKind
  readonly name: string
  /** SHA-256 of the box spec's canonical JSON, hex. */
  readonly specHash: string
  /** The image's id. */
  readonly image: string
  readonly end: BoxEnd
  readonly exitCode: number | null
  readonly peaks: Peaks
  /** Null for a box without a channel. */
  readonly egress: EgressCounts | null
}

/** One appended fact about a task. `seq` starts at 1 and has no gaps. */
export interface TaskEvent {
  readonly taskId: TaskId
  readonly seq: number
  readonly at: Millis
  readonly type: string
  readonly actor: Actor
  readonly from: Status | null
  readonly to: Status
  readonly step: number
  readonly attempt: number
  readonly fence: number
  /** A sentence for people. */
  readonly text: string
  readonly data: Readonly<Record<string, unknown>>
}

/** Statuses in which the loop is at work on a task, under a fence. */
export const workingStatuses: readonly Status[] = ['RUNNING', 'VALIDATING']

export function isWorking({ status }: Pick<Task, 'status'>): boolean {
  return workingStatuses.includes(status)
}

/** Statuses in which a person's or the loop's next act is possible without a resume. */
export const activeStatuses: readonly Status[] = ['DRAFT', 'PENDING', ...workingStatuses]

/** Its work is on the way into a branch or out of it again, or to where a pull request is opened. */
export function isDelivering({ delivery }: Pick<Task, 'delivery'>): boolean {
  return delivery === 'delivering'
}

/** Nothing more happens to it by itself. What its last step did may wait for room on the disk, which a resume looks for. */
export function isSettled({ status, phase }: Pick<Task, 'status' | 'phase'>): boolean {
  return !activeStatuses.includes(status) && phase !== 'salvage' && !isDeliveryPhase(phase)
}

const deliveryPhases: ReadonlySet<Phase | null> = new Set<Phase>([
  'merge',
  'merge_setup',
  'merge_test',
  'merge_move',
  'undo',
  'push',
  'pull_open',
])

function isDeliveryPhase(phase: Phase | null): boolean {
  return deliveryPhases.has(phase)
}

/** It is settled, and nothing waits to be put away: all that it did is on record. */
export function isAtRest(task: Pick<Task, 'status' | 'phase'>): boolean {
  return isSettled(task) && task.phase === null
}
