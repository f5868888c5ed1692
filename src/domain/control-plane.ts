import type { Access } from './access.ts'
import type { AgentProgress } from './agent.ts'
import type { SignedAttestation } from './attestation.ts'
import type { BoxSpec } from './box.ts'
import type { Millis } from './brand.ts'
import type { Caller } from './caller.ts'
import type { MergeWay } from './delivery/merge.ts'
import type { PullEnd } from './delivery/pull.ts'
import type { Day, DayFilter } from './day.ts'
import type { Decisions } from './decision.ts'
import type { EgressRow } from './egress.ts'
import type { TaskId } from './ids.ts'
import type { AcceptRule } from './marks/mark.ts'
import type { TaskRequest } from './intake.ts'
import type { QuestionRequest } from './question/request.ts'
import type { OutboxDesk } from './outbox/desk.ts'
import type { Policy } from './policy.ts'
import type { RemoteState } from './remote.ts'
import type { Reviewed, ReviewRequest } from './review/review.ts'
import type { Schedules } from './schedule/port.ts'
import type { SearchAnswer, SearchRequest } from './search/search.ts'
import type { Submitted } from './submitted.ts'
import type { Budget, Checkpoint, RiskReason, Status, Task, TaskEvent, TaskKind } from './task.ts'
import type { Verification } from './verification/verify.ts'

/** What a person can do with a task. `stop` and `pause` take effect on the state at once, then on the box. */
export type Act =
  | { readonly act: 'approve' | 'pause' | 'discard' | 'undo' }
  /**
   * Has the work merged into a branch of its repository, after a test of what comes of it. `into` and `how`: as configured,
   * else the branch that it began from and a commit of its own, where they are null. `accept`: the rules of the task's
   * marks, each of which an owner has to name, and `foreign` where others' commits may go with it.
   */
  | {
      readonly act: 'merge'
      readonly into: string | null
      readonly how: MergeWay | null
      readonly accept: readonly AcceptRule[]
    }
  /**
   * Has the work pushed, and proposed as a pull request where the repository's configuration says. `into` and `draft`: as
   * configured, else the branch that it began from and a draft, where they are null. `accept`: as of `merge`.
   */
  | {
      readonly act: 'pull-request'
      readonly into: string | null
      readonly draft: boolean | null
      readonly accept: readonly AcceptRule[]
    }
  /** Says what has become of a pull request in the place of its forge, which is not asked. */
  | { readonly act: 'pull-ended'; readonly as: PullEnd }
  | { readonly act: 'reject' | 'stop'; readonly text: string | null }
  | { readonly act: 'suggest' | 'steer'; readonly text: string }
  | { readonly act: 'resume'; readonly instruction: string | null; readonly budget: Partial<Budget> | null }

/** Which tasks are meant. Every field that is given narrows it. */
export interface TaskFilter {
  readonly statuses?: readonly Status[]
  readonly kind?: TaskKind
  /** What names their repository: its absolute path, or its name where it has a URL. */
  readonly repository?: string
  /** Those that need a person, as the domain's `needsPerson` says; false: all others. */
  readonly needsPerson?: boolean
  /** Made at this time or later, and before that one. */
  readonly since?: Millis
  readonly until?: Millis
  /** Those that come after this one in their order, newest first. */
  readonly after?: Pick<Task, 'id' | 'createdAt'>
  /** At most this many. */
  readonly limit?: number
}

/** A repository that is configured, or that tasks were made on. */
export interface KnownRepository {
  /** Absolute; of one by URL, its name. */
  readonly path: string
  readonly configured: boolean
  /** What its tasks get where they name nothing else. */
  readonly agent: string | null
  readonly setup: string | null
  readonly test: string | null
  /** So many were made on it, the last at this time. */
  readonly tasks: number
  readonly lastTaskAt: Millis | null
  /** How one that has a URL stands; null for a path, and where the configuration no longer knows the name. */
  readonly remote: RemoteState | null
}

export interface KnownAgent {
  readonly name: string
  /** Whether it is taken where a task names none. */
  readonly usual: boolean
  /** The same for a question. */
  readonly answers: boolean
}

/** What happens on a task while one looks: events in order of `seq`, and the output of its boxes as it comes. */
export type Sight =
  | { readonly kind: 'event'; readonly event: TaskEvent; readonly task: Task }
  | {
      readonly kind: 'output'
      readonly step: number
      readonly box: string
      readonly text: string
      readonly progress?: readonly AgentProgress[] | undefined
    }

/** What doctor looks at. */
export type DoctorScope = (typeof doctorScopes)[number]
export const doctorScopes = ['all', 'machine'] as const

export interface Finding {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'problem'
  /** What was found and, unless ok, what to do. */
  readonly text: string
}

export interface Explanation {
  readonly policy: Policy
  readonly boxes: readonly BoxSpec[]
  readonly hidden: readonly string[]
  readonly risks: readonly RiskReason[]
  readonly notes: readonly string[]
}

/** The public half of the key that attestations are signed with. */
export interface AttestationKey {
  readonly id: string
  /** SPKI. */
  readonly pem: string
}

/** Which rows of the egress log are meant: the newest `limit`, of one box where it is named. */
export interface EgressFilter {
  readonly box?: string
  readonly limit?: number
}

/**
 * The product without a front end: what the HTTP app serves and every command uses. Methods throw `Failure` for
 * expected failures: `not_found`, `conflict` (not possible in this state), `not_allowed`, `bad_request`, `repository`, ...
 */
export interface ControlPlane {
  /** Tokens and the audit log. */
  readonly access: Access
  readonly schedules: Schedules
  /**
   * Makes a task. `key`: names this submission for its caller, so that it can be sent again when no answer came,
   * for seven days: the task that it made is answered then, and another request under that key is a `conflict`. Null is
   * never the same.
   */
  submit(request: TaskRequest, caller: Caller, key: string | null): Promise<Submitted>
  /** The same for a question about a repository: a task of its own kind, which changes nothing and comes to an answer. */
  ask(request: QuestionRequest, caller: Caller, key: string | null): Promise<Submitted>
  /** The task that this caller has made under a key; null where there is none. */
  made(key: string, caller: Caller): Task | null
  task(id: TaskId): Task
  /** Newest first. */
  tasks(filter: TaskFilter): readonly Task[]
  /** How many there are in each state. */
  counts(): Readonly<Record<Status, number>>
  /** How many of those need a person, as `needsPerson` says. */
  needing(): Readonly<Record<Status, number>>
  /** Oldest first. */
  days(filter: DayFilter): readonly Day[]
  /** In order of their paths. */
  repositories(): readonly KnownRepository[]
  agents(): readonly KnownAgent[]
  /** Finds tasks by what is remembered of them, whatever is typed; no words, no hits. */
  search(request: SearchRequest): Promise<SearchAnswer>
  /** `shown`: the revision that the person decided on; where the task has another by now, it is a `conflict`. */
  act(id: TaskId, act: Act, caller: Caller, shown: number | null): Promise<Task>
  /**
   * Puts on record what somebody says about the work of an applied task; where they ask for it, another task changes that,
   * and this one is superseded. `shown`: as of `act`.
   */
  review(id: TaskId, request: ReviewRequest, caller: Caller, shown: number | null): Promise<Reviewed>
  /** Takes back what was said in a review, by the `seq` of its event, while no task was made for it. */
  withdraw(id: TaskId, review: number, caller: Caller): Task
  /** What can be decided on a task by this caller, and what was decided last. */
  decisions(id: TaskId, caller: Caller): Decisions
  /** Decides by a button, as `decisions` names it in `id`; `text` is what the person says with it. */
  decide(id: TaskId, button: string, text: string | null, caller: Caller): Promise<Task>
  /** Offers a draft once more, in the place of what is open: for who waits where nobody was told of it. */
  offer(id: TaskId, caller: Caller): void
  /** Those whose `seq` is above `after`, oldest first; at most 1,000. */
  events(id: TaskId, after: number): readonly TaskEvent[]
  checkpoints(id: TaskId): readonly Checkpoint[]
  /** What the boxes of a task asked of the gateway, oldest first. */
  egress(id: TaskId, filter: EgressFilter): readonly EgressRow[]
  attestations(id: TaskId): readonly SignedAttestation[]
  /**
   * Holds all that there is of a task against its attestations, with the installation's key or with these (PEM, SPKI) in
   * its place.
   */
  verify(id: TaskId, keys: readonly string[]): Promise<Verification>
  attestationKey(): AttestationKey
  /**
   * Unified diff of the task's work, or of one step; `''` where there is none. `against`: what a merge into that branch
   * would change in it as it is now; a conflict is a `Failure('conflict')` that names it.
   */
  diff(id: TaskId, step: number | null, against?: string | null): Promise<string>
  /** What the boxes of a task (or of one step) printed, oldest first, as text with a heading per box; the newest 16 MiB of it. */
  logs(id: TaskId, step: number | null): Promise<string>
  /** The specs of each kind of box that a request of this caller would get, what is hidden, and the risks; nothing is run. */
  explain(request: TaskRequest, caller: Caller): Promise<Explanation>
  /** Rejects with `Failure('busy')` where tasks can be neither taken nor worked on. */
  ready(): Promise<void>
  /**
   * Of the repositories, nothing is looked at where it is `of` the machine: that may take as long as a remote does. It is
   * looked anew for owners; others are told what was found in the last minute, for a look has boxes run.
   */
  doctor(of: DoctorScope, caller: Caller): Promise<readonly Finding[]>
  /** What destinations are told of tasks. */
  readonly outbox: OutboxDesk
  /** Replays events after `after`, then goes on live until `signal` aborts. */
  watch(id: TaskId, after: number, signal: AbortSignal): AsyncIterable<Sight>
  /** Tasks as they change from now on, until `signal` aborts; of one that changes faster than it is read, the last state. */
  changes(signal: AbortSignal): AsyncIterable<Task>
  /** Asks the loop to work on this task too from now on, where it works only on what it is asked to (see `run`). */
  attend(id: TaskId): void
}
