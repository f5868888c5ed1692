import type { KeyObject } from 'node:crypto'
import type { EventMark, SignedAttestation, TaskRecord } from '../attestation.ts'
import type { Unreadable } from '../failure.ts'
import type { TaskId } from '../ids.ts'
import type { Checkpoint, Task, TaskEvent } from '../task.ts'
import type { History } from '../worktree.ts'

/** All that is there of a task now, to be held against what was attested. What cannot even be read is a finding. */
export interface Evidence {
  readonly id: TaskId
  readonly installation: string
  readonly task: Task | Unreadable
  readonly checkpoints: readonly Checkpoint[] | Unreadable
  readonly attestations: readonly SignedAttestation[] | Unreadable
  readonly record: TaskRecord
  /** The same without what boxes change between two events. */
  readonly interim: TaskRecord
  /** One for each event, from the first. */
  readonly events: readonly EventMark[]
  /** Null where there is none. */
  readonly lastEvent: TaskEvent | null | Unreadable
  /** The task's branch. */
  readonly history: History | Unreadable
}

/** A key that is trusted. */
export interface TrustedKey {
  readonly id: string
  readonly key: KeyObject
}

/** One thing that is not as it was attested. */
export interface VerificationFinding {
  /** `attestation 3`, `task`, `events`, `step 2, attempt 1`, `branch`, ... */
  readonly where: string
  /** A sentence: what was changed. */
  readonly text: string
}

export function stepName({ step, attempt }: { readonly step: number; readonly attempt: number }): string {
  return `step ${step}, attempt ${attempt}`
}

export function short(id: string): string {
  return id.slice(0, 12)
}
