import { putBack } from '../../src/domain/backup.ts'
import {
  type Attestation,
  type EventMark,
  fixedHash,
  type Hash,
  isFixedAlike,
  parseAttestation,
  type PostureStatement,
  rowHash,
  type SignedAttestation,
} from '../../src/domain/attestation.ts'
import type { CommitId } from '../../src/domain/brand.ts'
import { canonicalJson, sha256 } from '../../src/domain/canonical-json.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Posture } from '../../src/domain/posture.ts'
import { type Checkpoint, isAtRest, type Task, type TestResult } from '../../src/domain/task.ts'
import { checkRecord, checkRest } from '../../src/domain/verification/record.ts'
import type { Candidate } from '../../src/domain/worktree.ts'
import type { Change, Store } from '../store/store.ts'
import type { SigningKey } from './key.ts'

export interface AttestorDeps {
  readonly store: Pick<
    Store,
    | 'lastAttestation'
    | 'lastAttestationHash'
    | 'eventMarks'
    | 'egressMarks'
    | 'record'
    | 'interimRecord'
    | 'othersWrites'
  >
  /** Asked for when something is to be attested. */
  readonly key: () => Pick<SigningKey, 'id' | 'sign'>
  readonly installation: string
}

/** Makes a task's attestations. It has no clock: from the same rows come the same bytes. */
export interface Attestor {
  /**
   * What an attempt came to, before its transition is written. `row` is closed as it will be written, but for its commit;
   * its candidate, where there is one, follows the task's head.
   */
  readonly step: (task: Task, row: Checkpoint, posture: Posture | null) => SignedAttestation
  /**
   * For one change of a task: its last attestation is looked at before, and a new one made of what the rows say after. One
   * that rested and was changed meanwhile is refused with `Failure('database')`, else that would be attested as its own;
   * one from before there were attestations passes. Where a task that was not at rest was changed, its interim
   * attestation stays where it is, for those who verify, and the work goes on.
   */
  readonly changing: () => Required<Pick<Change, 'leaving' | 'standing'>>
}

/** The place that an attestation takes in its chain. */
interface Place {
  readonly seq: number
  /** The one before it. */
  readonly last: SignedAttestation | null
  /** How far the events are chained already. */
  readonly from: EventMark
}

/** An interim attestation that this process has made. */
interface Made {
  readonly hash: Hash
  /** The task as it was then, and the hash of what never changes of it. */
  readonly task: Task
  readonly fixed: Hash
  /** The place of the next one: it takes this one's. */
  readonly next: Place
  /** What `othersWrites` was then. */
  readonly others: number
}

/** How many are remembered before all are forgotten. */
const most = 1000

/** What of an attestation is not the same for every kind. */
type Own<T extends Attestation = Attestation> = T extends Attestation
  ? Omit<T, keyof ReturnType<typeof beginning>>
  : never

export function attestor(deps: AttestorDeps): Attestor {
  const { store } = deps
  // A task under way changes often: what this process has just attested of it is not read again to see whether it stands.
  const made = new Map<TaskId, Made>()
  const remember = (one: Made): void => {
    if (made.size >= most) made.clear()
    made.set(one.task.id, one)
  }
  const fixedOf = (task: Task): Hash => {
    const known = made.get(task.id)
    return known !== undefined && isFixedAlike(known.task, task) ? known.fixed : fixedHash(task)
  }
  /** What was made last of a task, where it is still the last and nobody else has written since. */
  const asMade = (id: TaskId): Made | undefined => {
    const one = made.get(id)
    if (one === undefined || one.others !== store.othersWrites()) return undefined
    return one.hash === store.lastAttestationHash(id) ? one : undefined
  }
  const signed = (task: Task, place: Place, own: Own): Made & { readonly signed: SignedAttestation } => {
    const common = beginning(deps, task, fixedOf(task), place)
    const body = canonicalJson({ ...common, ...own })
    const hash = sha256(body)
    const signature = deps.key().sign(body)
    return {
      signed: { taskId: task.id, seq: common.seq, body, hash, key: common.key, signature },
      hash,
      task,
      fixed: common.fixed,
      next: { ...place, from: common.events },
      others: store.othersWrites(),
    }
  }
  return {
    step: (task, row, posture) =>
      signed(task, asMade(task.id)?.next ?? placeFor(deps, task.id, stands(deps, task.id)), {
        kind: 'step',
        ...namesOf(task),
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
      }).signed,
    changing() {
      let stood = true
      return {
        leaving(task) {
          if (isAtRest(task)) refuseChanged(store, task)
          else stood = asMade(task.id) !== undefined || stands(deps, task.id)
        },
        standing(task) {
          const rests = isAtRest(task)
          // An attempt's attestation may have taken the place of the one that was made last.
          const place = asMade(task.id)?.next ?? placeFor(deps, task.id, stood)
          const { signed: attested, ...one } = signed(
            task,
            place,
            rests ? closing(store, task) : { kind: 'interim', record: store.interimRecord(task.id) },
          )
          if (rests) made.delete(task.id)
          else remember(one)
          return attested
        },
      }
    },
  }
}

/** `stood`: whether an interim attestation, where the last one is one, may be taken out for the new one. */
function placeFor({ store }: AttestorDeps, id: TaskId, stood: boolean): Place {
  const last = store.lastAttestation(id)
  const interim = last === null || !stood ? null : parseAttestation(last.body)
  if (last === null || interim?.kind !== 'interim') return placeAfter(last)
  // The events that it covers stand, and need not be chained again.
  return { ...placeAfter(store.lastAttestation(id, last.seq)), from: interim.events }
}

function placeAfter(last: SignedAttestation | null): Place {
  if (last === null) return { seq: 1, last, from: { upTo: 0, chain: '' } }
  const before = parseAttestation(last.body)
  if (before === null)
    throw new Failure(
      'database',
      `Attestation ${last.seq} of task ${last.taskId} is damaged in the database: ` +
        `${putBack}, or start with another --data.`,
    )
  return { seq: last.seq + 1, last, from: before.events }
}

/** Whether a task is as its interim attestation says, where the last one is one, and that is signed with this key. */
function stands({ store, key }: AttestorDeps, id: TaskId): boolean {
  const last = store.lastAttestation(id)
  const interim = last === null ? null : parseAttestation(last.body)
  if (last === null || interim?.kind !== 'interim') return true
  const { upTo, chain } = store.eventMarks(id, interim.events).at(-1) ?? interim.events
  return (
    key().sign(last.body) === last.signature &&
    upTo === interim.events.upTo &&
    chain === interim.events.chain &&
    checkRecord(interim, store.interimRecord(id), true).length === 0
  )
}

function refuseChanged(store: AttestorDeps['store'], task: Task): void {
  const last = store.lastAttestation(task.id)
  if (last === null) return
  const [finding] = checkRest(task, parseAttestation(last.body), store.record(task.id))
  if (finding === undefined) return
  throw new Failure(
    'database',
    `Task ${task.id} is not as it was attested when it came to rest (${finding.where}: ${finding.text}). ` +
      `\`cofferdam verify ${task.id}\` says what was changed: ${putBack}.`,
  )
}

function beginning(
  { store, key, installation }: AttestorDeps,
  task: Task,
  fixed: Hash,
  { seq, last, from }: Place,
) {
  return {
    version: 1,
    installation,
    task: task.id,
    seq,
    previous: last?.hash ?? null,
    key: key().id,
    fixed,
    events: store.eventMarks(task.id, from).at(-1) ?? from,
  } as const
}

function closing(store: AttestorDeps['store'], task: Task): Own {
  const { status, head } = task
  return { kind: 'closing', ...namesOf(task), status, head, record: store.record(task.id) }
}

const namesOf = (task: Task) => ({ goal: sha256(task.goal), policy: task.policyHash })

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
