import type { Millis } from '../../src/domain/brand.ts'
import type {
  EgressMark,
  EventMark,
  Hash,
  SignedAttestation,
  TaskRecord,
} from '../../src/domain/attestation.ts'
import type { DaySpan } from '../../src/domain/day.ts'
import type { EgressRow } from '../../src/domain/egress.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Occurrence, Schedule } from '../../src/domain/schedule/schedule.ts'
import type { Actor, Checkpoint, Status, Task, TaskEvent } from '../../src/domain/task.ts'
import type { TaskFilter } from '../../src/domain/control-plane.ts'
import type { AccessStore } from './access.ts'
import type { DaySums } from './days.ts'
import type { Head } from './heads.ts'
import type { NewLetter } from '../../src/domain/outbox/letter.ts'
import type { MessageBook } from '../../src/domain/outbox/messages.ts'
import type { OutboxRows } from './outbox.ts'
import type { TaskTexts, TaskVersion } from './texts.ts'

/**
 * A place where a decision about a task is offered: a message with buttons, a question at a terminal. It is good for
 * one use, for the revision that it shows, until it expires.
 */
export interface Surface {
  readonly id: string
  readonly taskId: TaskId
  /** The revision of the task that people see there. */
  readonly revision: number
  /** What can be chosen: `approve`, `reject`, ... */
  readonly actions: readonly string[]
  readonly openedAt: Millis
  readonly expiresAt: Millis
  /** Set by its use, and when the task moves on without it. */
  readonly closedAt: Millis | null
  readonly usedAction: string | null
  readonly usedBy: Actor | null
  /** What the person said with it. */
  readonly text: string | null
}

/** The use of a surface by a person. */
export interface SurfaceUse {
  readonly id: string
  readonly action: string
  readonly actor: Actor
  readonly text: string | null
  readonly at: Millis
}

/** Everything that one transition writes. All of it is written, or nothing. */
export interface Change {
  /** The task as the caller read it; null where the task is born. */
  readonly before: Task | null
  /** The task as it will be: version 1 where it is born, else one more than before. */
  readonly after: Task
  readonly event: Pick<TaskEvent, 'type' | 'actor' | 'text' | 'data' | 'at'>
  /** The checkpoint of the step under way: made, or replaced as a whole. */
  readonly checkpoint?: Checkpoint
  /** Further checkpoints to replace, written before `checkpoint`: a task has at most one that is `open`. */
  readonly close?: readonly Checkpoint[]
  readonly surface?: SurfaceChange
  /** What a step came to. */
  readonly attestation?: SignedAttestation
  /** The run of a schedule that a task which is born is: `occurrence.task` is that task. */
  readonly scheduled?: ScheduledRun
  /** Called first, inside the transaction, with `before`: what it throws takes everything back. */
  readonly leaving?: (task: Task) => void
  /**
   * Called last, inside the transaction, with the task as it is written: attests what the rows now say, in a place of its
   * own or in that of an interim attestation. It reads through
   * this store, and what it throws takes everything back.
   */
  readonly standing?: (task: Task) => SignedAttestation
  /** Called inside the transaction, with the event and the task as they are written: the letters that tell of it. */
  readonly letters?: (event: TaskEvent, task: Task) => readonly NewLetter[]
}

/** In this order: used, closed, recorded, opened. A higher revision closes the surfaces of lower ones by itself. */
export interface SurfaceChange {
  readonly use?: SurfaceUse
  readonly closeAll?: boolean
  /** A decision without a surface that was open for it: one that is born used. */
  readonly record?: Surface
  /** Must show the revision of `after`. */
  readonly open?: Surface
}

/** A run of a schedule, to be decided once. */
export interface ScheduledRun {
  readonly occurrence: Occurrence
  /** Of the schedule that it was decided by. */
  readonly revision: number
  /** Only while no task of the schedule is under way. */
  readonly alone: boolean
}

/**
 * Why a run is not decided so. `schedule`: it is another by now, or there is none. `decided`: that time has an occurrence
 * already, which does not wait. `overlap`: a task of the schedule is under way.
 */
export type ScheduleRefusal = 'schedule' | 'decided' | 'overlap'

/** A change of a schedule by a person or the configuration. */
export interface ScheduleChanging {
  /** Null where it is made. */
  readonly before: Schedule | null
  readonly after: Schedule
  /** With it, runs that wait are skipped, for this reason. */
  readonly skipWaiting?: { readonly text: string; readonly at: Millis }
}

export interface ScheduleStore {
  /** In order of their names. */
  all(): readonly Schedule[]
  schedule(name: string): Schedule | null
  /** False, and nothing is written, where the schedule is not of the revision that `before` has, or is there already. */
  change(changing: ScheduleChanging): boolean
  /** Decides a run without a task; what was planned up to it counts as decided. Null where it was written. */
  settle(run: ScheduledRun): ScheduleRefusal | null
  /** What is planned up to this time needs no decision: only ever later, or back where the clock was put back. */
  decidedTo(name: string, revision: number, to: Millis): void
  /** Newest first; those planned before a time where it is given. */
  occurrences(name: string, before: Millis | null, limit: number): readonly Occurrence[]
  /** The one that was decided last. */
  last(name: string): Occurrence | null
  /** Oldest first. */
  waiting(name: string): readonly Occurrence[]
  /** The run that this task is. */
  occurrenceOf(task: TaskId): Occurrence | null
  /** A task of this schedule that is not settled. */
  underWay(name: string): TaskId | null
  /** Removes those that were decided before this time. What became a task is part of its record, and what waits is to come. */
  endOccurrences(before: Millis): void
}

export interface Written {
  readonly kind: 'written'
  /** The task as it is now: `after`, with what heartbeats have charged meanwhile. Its version is the event's `seq`. */
  readonly task: Task
}

/** Why a surface cannot be used. `stale`: the task has another revision than the surface shows. */
export type SurfaceRefusal = 'unknown' | 'used' | 'closed' | 'expired' | 'stale' | 'not_offered'

/** Somebody was faster. Nothing was written. */
export interface Lost {
  readonly kind: 'lost'
  /** `task`: its status, version or fence is another (or its id is taken); else what is wrong with the surface. */
  readonly reason: 'task' | SurfaceRefusal | ScheduleRefusal
  /** The task as it is; null where there is none. */
  readonly now: Task | null
  /** The surface that could not be used, with who used it for what. */
  readonly surface: Surface | null
}

/** The tasks on one repository: how many, and when the last was made. */
export interface RepositoryTasks {
  readonly path: string
  readonly tasks: number
  readonly lastTaskAt: Millis
}

/** A sign of life of a box under way. */
export interface Heartbeat {
  readonly leaseUntil: Millis
  /** Whole milliseconds since the last charge. */
  readonly chargeMs: Millis
  /** What models were paid since then. */
  readonly chargeTokens?: number
  readonly chargeCostUsd?: number
  /** The open checkpoint that the time is charged to. */
  readonly step: number
  readonly attempt: number
}

/**
 * The durable state of all tasks. Synchronous: when a method returns, what it wrote survives a crash. Methods throw
 * `Failure('database' | 'disk' | 'busy')` when the storage fails; then nothing of that call was written.
 */
export interface Store {
  /** Tokens and the audit log. */
  readonly access: AccessStore
  /**
   * One transition, in one transaction, guarded by status, version and fence of `before`.
   *
   * What `heartbeat` writes is never put back by a caller who read the task earlier: what is spent is written as the
   * difference of `after` and `before`, the lease only where the two differ. A checkpoint's `charged` never falls while
   * its box keeps its name; a box of another name starts from the value given.
   */
  write(change: Change): Written | Lost
  /**
   * Does each of `acts`, which write with the methods above and must not wait, in one transaction that is on disk when this
   * returns. What one throws takes only its own writes back. Throws where nothing is written.
   */
  together<T>(acts: readonly (() => T)[]): readonly PromiseSettledResult<T>[]
  /**
   * Charges time, tokens and cost to a task, the time also to its open checkpoint, and extends the lease, without an event and without raising the
   * version. False, and nothing is written, where the fence is old, the task neither RUNNING nor VALIDATING, or time is
   * to be charged and that checkpoint is not open.
   */
  heartbeat(id: TaskId, fence: number, beat: Heartbeat): boolean
  task(id: TaskId): Task | null
  /** Newest first; of those made in the same millisecond the one with the greater id. */
  tasks(filter: TaskFilter): readonly Task[]
  /** The repositories that tasks were made on, in order of their paths. */
  repositories(): readonly RepositoryTasks[]
  /** The PENDING task that was made first, not in `except` and, unless that is null, in `only`. */
  oldestPending(except: ReadonlySet<TaskId>, only: ReadonlySet<TaskId> | null): Task | null
  /** Tasks with something under way: RUNNING, VALIDATING, or with work of a halted step to keep. Oldest first. */
  inFlight(): readonly Task[]
  /** Events with a `seq` above `after`, in order, at most `limit`. */
  events(id: TaskId, after: number, limit: number): readonly TaskEvent[]
  /** The last `limit` events that are not by the control plane, in order. */
  decisions(id: TaskId, limit: number): readonly TaskEvent[]
  /** Those of the step `since` and later ones, in order of step and attempt; without it all. */
  checkpoints(id: TaskId, since?: number): readonly Checkpoint[]
  openCheckpoint(id: TaskId): Checkpoint | null
  /** The names of the boxes of all open checkpoints. */
  openBoxes(): readonly string[]
  /** The newest surface that is not closed; it may have expired. */
  openSurface(id: TaskId): Surface | null
  /** All of a task, closed ones too, newest first; at most the last 100. */
  surfaces(id: TaskId): readonly Surface[]
  /** The surface that was used last. */
  lastDecision(id: TaskId): Surface | null
  /** What boxes asked for: each row added, or put in the place of an earlier one, all of them or none. */
  recordEgress(rows: readonly EgressRow[]): void
  /** The newest `limit` rows of a task, or of one of its boxes, oldest first. */
  egressLog(id: TaskId, box: string | null, limit: number): readonly EgressRow[]
  /** The greatest id that the rows of a box have; 0 where there is none. */
  lastEgressId(id: TaskId, box: string): number
  /** In order of `seq`. */
  attestations(id: TaskId): readonly SignedAttestation[]
  /** The last, or the last with a number below this. */
  lastAttestation(id: TaskId, below?: number): SignedAttestation | null
  /** That of the last, without reading all of it. */
  lastAttestationHash(id: TaskId): Hash | null
  /** The ids of all keys that any attestation names, sorted; reads the whole table. */
  attestationKeys(): readonly string[]
  /** Where the branch of each task is that is not discarded; reads the whole table. */
  heads(): readonly Head[]
  /** What is on record about a task as it lies in the file, hashed: for attestations and those who check them. */
  record(id: TaskId): TaskRecord
  /** The same without attempts of earlier steps, and without what heartbeats and boxes change between two events. */
  interimRecord(id: TaskId): TaskRecord
  /** Of these boxes of a task, those that asked for anything. */
  egressMarks(id: TaskId, boxes: readonly string[]): readonly EgressMark[]
  /** The chain over a task's events, with a mark for each one after `from`. */
  eventMarks(id: TaskId, from: EventMark): readonly EventMark[]
  /** Another number whenever another connection has written to the file. */
  othersWrites(): number
  readonly schedules: ScheduleStore
  /** Tasks whose work is on the way into a branch or out of it, in the order in which that was decided. */
  delivering(): readonly Task[]
  /** Tasks whose pull request is open, as far as is known. */
  proposed(): readonly Task[]
  /** Every task that has been discarded. */
  discarded(): ReadonlySet<TaskId>
  counts(): Readonly<Record<Status, number>>
  /** How many of those need a person, as `needsPerson` says. */
  needing(): Readonly<Record<Status, number>>
  days(span: DaySpan): DaySums
  /** What a person may remember a task by; null where there is no such task. Throws where a row cannot be read. */
  texts(id: TaskId): TaskTexts | null
  /** The tasks that come after this one in the order of `tasks`, newest first, at most `limit`; from the first for null. */
  versions(after: Pick<TaskVersion, 'id' | 'createdAt'> | null, limit: number): readonly TaskVersion[]
  /** What destinations are told. */
  readonly outbox: OutboxRows
  /** What destinations have sent and may have to find again. */
  readonly messages: MessageBook
  [Symbol.dispose](): void
}
