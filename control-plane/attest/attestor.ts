import {
  type Attestation,
  fixedHash,
  parseAttestation,
  type PostureStatement,
  rowHash,
  type SignedAttestation,
} from '../../src/domain/attestation.ts'
import type { CommitId } from '../../src/domain/brand.ts'
import { canonicalJson, sha256 } from '../../src/domain/canonical-json.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { Posture } from '../../src/domain/posture.ts'
import type { Checkpoint, Task, TestResult } from '../../src/domain/task.ts'
import { checkRest } from '../../src/domain/verification/record.ts'
import type { Candidate } from '../../src/domain/worktree.ts'
import type { Store } from '../store/store.ts'
import type { SigningKey } from './key.ts'

export interface AttestorDeps {
  readonly store: Pick<Store, 'lastAttestation' | 'eventMarks' | 'egressMarks' | 'record'>
  readonly key: Pick<SigningKey, 'id' | 'sign'>
  readonly installation: string
}

/** Makes a task's attestations. It has no clock: from the same rows come the same bytes. */
export interface Attestor {
  /**
   * What an attempt came to, before its transition is written. `row` is closed as it will be written, but for its commit;
   * its candidate, where there is one, follows the task's head.
   */
  readonly step: (task: Task, row: Checkpoint, posture: Posture | null) => SignedAttestation
  /** What is on record about a task that comes to rest; to be called with its rows written. */
  readonly closing: (task: Task) => SignedAttestation
  /**
   * To be called before a task leaves its rest: what was changed meanwhile would be attested as its own from then on.
   * Throws `Failure('database')`; a task from before there were attestations passes.
   */
  readonly leaving: (task: Task) => void
}

/** What of an attestation is not the same for both kinds. */
type Own<T extends Attestation = Attestation> = T extends Attestation
  ? Omit<T, keyof ReturnType<typeof beginning>>
  : never

export function attestor(deps: AttestorDeps): Attestor {
  const signed = (task: Task, own: Own): SignedAttestation => {
    const common = beginning(deps, task)
    const body = canonicalJson({ ...common, ...own })
    const signature = deps.key.sign(body)
    return { taskId: task.id, seq: common.seq, body, hash: sha256(body), key: common.key, signature }
  }
  return {
    step: (task, row, posture) =>
      signed(task, {
        kind: 'step',
        step: row.step,
        attempt: row.attempt,
        fence: row.fence,
        outcome: outcomeOf(row),
        boxes: row.boxes,
        posture: statementOf(posture),
        violations: row.violations,
        candidate: candidateOf(row.candidate, task.head),
        test: testOf(row.test),
        egress: deps.store.egressMarks(
          task.id,
          row.boxes.map(({ name }) => name),
        ),
        row: rowHash(row),
      }),
    closing: (task) =>
      signed(task, {
        kind: 'closing',
        status: task.status,
        head: task.head,
        record: deps.store.record(task.id),
      }),
    leaving: (task) => refuseChanged(deps.store, task),
  }
}

function refuseChanged(store: AttestorDeps['store'], task: Task): void {
  const last = store.lastAttestation(task.id)
  if (last === null) return
  const [finding] = checkRest(task, parseAttestation(last.body), store.record(task.id))
  if (finding === undefined) return
  throw new Failure(
    'database',
    `Task ${task.id} is not as it was attested when it came to rest (${finding.where}: ${finding.text}) ` +
      `\`cofferdam verify ${task.id}\` says what was changed: put a copy of the database in its place.`,
  )
}

function beginning({ store, key, installation }: AttestorDeps, task: Task) {
  const last = store.lastAttestation(task.id)
  const before = last === null ? null : parseAttestation(last.body)
  if (last !== null && before === null)
    throw new Failure(
      'database',
      `Attestation ${last.seq} of task ${task.id} is damaged in the database: ` +
        'put a copy of the database in its place, or start with another --data.',
    )
  const from = before?.events ?? { upTo: 0, chain: '' }
  return {
    version: 1,
    installation,
    task: task.id,
    seq: (last?.seq ?? 0) + 1,
    previous: last?.hash ?? null,
    key: key.id,
    fixed: fixedHash(task),
    goal: sha256(task.goal),
    policy: task.policyHash,
    events: store.eventMarks(task.id, from).at(-1) ?? from,
  } as const
}

function outcomeOf({ state, step, attempt }: Checkpoint): 'kept' | 'partial' | 'dropped' {
  if (state !== 'open') return state
  throw new Error(`step ${step}, attempt ${attempt} is not over, so it cannot be attested`)
}

function statementOf(posture: Posture | null): PostureStatement | null {
  if (posture === null) return null
  const { level, engine, missing } = posture
  return { level, engine, missing }
}

function candidateOf(candidate: Candidate | null, parent: CommitId) {
  if (candidate === null) return null
  const { commit, tree, changed } = candidate
  return { commit, parent, tree, changed }
}

function testOf(test: TestResult | null) {
  return test === null ? null : { passed: test.passed, end: test.end, exitCode: test.exitCode }
}
