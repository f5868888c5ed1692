import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { z } from 'zod'
import type { BoxEnd } from './box.ts'
import type { CommitId, TreeId } from './brand.ts'
import { canonicalJson, sha256 } from './canonical-json.ts'
import type { TaskId } from './ids.ts'
import type { PostureLevel } from './posture.ts'
import { postureLevels } from './posture.ts'
import {
  boxRecordSchema,
  checkpointSchema,
  commitIdSchema,
  endSchema,
  exactly,
  taskIdSchema,
  treeIdSchema,
  violationSchema,
} from './schemas.ts'
import type { Violation } from './policy.ts'
import { type BoxRecord, type Checkpoint, statuses, type Status, type Task } from './task.ts'

/** A SHA-256 in lowercase hex. */
export type Hash = string

/** What every attestation says. It holds no time but those on record: computed twice, it has the same bytes. */
interface Common {
  readonly version: 1
  readonly installation: string
  readonly task: TaskId
  /** Of this task, from 1 without a gap. */
  readonly seq: number
  /** The hash of the one before; null for the first. */
  readonly previous: Hash | null
  /** The key that signs it: in the body too, so that a chain signed again with another key has other hashes. */
  readonly key: Hash
  /** What never changes of a task once it may run (`fixedHash`). */
  readonly fixed: Hash
  readonly events: EventMark
}

/** What people ask for by name. */
interface Named {
  readonly goal: Hash
  readonly policy: Hash
}

/** The chain over all events of a task up to one of them. */
export interface EventMark {
  readonly upTo: number
  readonly chain: Hash
}

/** The rows of one box in `egress_log`. */
export interface EgressMark {
  readonly box: string
  readonly rows: number
  readonly hash: Hash
}

/** What was enforced in an attempt at a step, and what it came to. */
export interface StepAttestation extends Common, Named {
  readonly kind: 'step'
  readonly step: number
  readonly attempt: number
  readonly fence: number
  readonly outcome: 'kept' | 'partial' | 'dropped'
  readonly boxes: readonly BoxRecord[]
  /** Null where nobody has looked. */
  readonly posture: PostureStatement | null
  readonly violations: readonly Violation[]
  /** Null where none was made. */
  readonly candidate: AttestedCandidate | null
  readonly test: AttestedTest | null
  /** Of the boxes above, those that asked for anything. */
  readonly egress: readonly EgressMark[]
  /** The whole of the attempt's row (`rowHash`). */
  readonly row: Hash
}

export interface PostureStatement {
  readonly level: PostureLevel
  readonly engine: string
  readonly missing: readonly string[]
}

export interface AttestedCandidate {
  /**
   * The commit that was tested. That on the branch is the same but for a last line with this attestation's hash, so the
   * one follows from the other, and nothing of it can be changed: time, author, message, tree, parent.
   */
  readonly commit: CommitId
  readonly parent: CommitId
  readonly tree: TreeId
  /** False where nothing changed: then the branch has no commit of it. */
  readonly changed: boolean
}

export interface AttestedTest {
  readonly passed: boolean
  readonly end: BoxEnd
  readonly exitCode: number | null
}

/** All that is on record about a task whenever it comes to rest, last of all when it is over. */
export interface ClosingAttestation extends Common, Named {
  readonly kind: 'closing'
  readonly status: Status
  readonly head: CommitId
  readonly record: TaskRecord
}

/**
 * What is on record about a task that is not at rest, but for attempts of earlier steps, which have attestations of their
 * own where they had a result, and for what boxes change between two events. It is the last of
 * its chain: the next attestation takes its place, so without it, or with an older one, a chain is cut short. It is written
 * with every event and therefore short: what its row says is in the hash of that.
 */
export interface InterimAttestation extends Common {
  readonly kind: 'interim'
  readonly record: TaskRecord
}

/** Every row about a task as it lies in the file, cell by cell and hashed. */
export interface TaskRecord {
  /** The hash of each column of its row, or under `wholeRow` one of them all; null where there is no row. */
  readonly task: Readonly<Record<string, Hash>> | null
  readonly checkpoints: readonly { readonly step: number; readonly attempt: number; readonly hash: Hash }[]
  readonly decisions: readonly SurfaceMark[]
  readonly egress: readonly EgressMark[]
}

/** The name under which a task's row is hashed as a whole. */
export const wholeRow = '*'

/** A surface. One that is open may be used or closed later, but what it offered stays. */
export interface SurfaceMark {
  readonly id: string
  readonly open: boolean
  /** Of what was written when it was opened. */
  readonly offer: Hash
  /** Of the whole row. */
  readonly hash: Hash
}

export type Attestation = StepAttestation | ClosingAttestation | InterimAttestation

/** An attestation as it is stored and handed out. */
export interface SignedAttestation {
  readonly taskId: TaskId
  readonly seq: number
  /** Canonical JSON of an `Attestation`. */
  readonly body: string
  /** SHA-256 of the body. */
  readonly hash: Hash
  /** The id of the key: SHA-256 of its DER (SPKI). */
  readonly key: Hash
  /** Ed25519 over the bytes of the body, base64. */
  readonly signature: string
}

/** The trailer of a checkpoint's commit that names its attestation. */
export const attestationTrailer = 'Cofferdam-Attestation'

const hash = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.int().nonnegative()

const egressMarks = z.array(z.strictObject({ box: z.string(), rows: count, hash }))

const record = z.strictObject({
  task: z.record(z.string(), hash).nullable(),
  checkpoints: z.array(z.strictObject({ step: count, attempt: count, hash })),
  decisions: z.array(z.strictObject({ id: z.string(), open: z.boolean(), offer: hash, hash })),
  egress: egressMarks,
})

const common = {
  version: z.literal(1),
  installation: z.string(),
  task: taskIdSchema,
  seq: z.int().positive(),
  previous: hash.nullable(),
  key: hash,
  fixed: hash,
  events: z.strictObject({ upTo: count, chain: hash }),
}

const named = { goal: hash, policy: hash }

const attestationSchema = exactly<Attestation>()(
  z.discriminatedUnion('kind', [
    z.strictObject({
      ...common,
      ...named,
      kind: z.literal('step'),
      step: z.int().positive(),
      attempt: z.int().positive(),
      fence: count,
      outcome: z.enum(['kept', 'partial', 'dropped']),
      boxes: z.array(boxRecordSchema),
      posture: z
        .strictObject({ level: z.enum(postureLevels), engine: z.string(), missing: z.array(z.string()) })
        .nullable(),
      violations: z.array(violationSchema),
      candidate: z
        .strictObject({
          commit: commitIdSchema,
          parent: commitIdSchema,
          tree: treeIdSchema,
          changed: z.boolean(),
        })
        .nullable(),
      test: z.strictObject({ passed: z.boolean(), end: endSchema, exitCode: z.int().nullable() }).nullable(),
      egress: egressMarks,
      row: hash,
    }),
    z.strictObject({
      ...common,
      ...named,
      kind: z.literal('closing'),
      status: z.enum(statuses),
      head: commitIdSchema,
      record,
    }),
    z.strictObject({ ...common, kind: z.literal('interim'), record }),
  ]),
)

/** The attestation in a body; null where it is none that this version knows. */
export function parseAttestation(body: string): Attestation | null {
  try {
    const parsed = attestationSchema.safeParse(JSON.parse(body))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}

/** Over what is decided before a task may run and never changes afterwards. */
export function fixedHash(task: Task): Hash {
  // What was attested before there were questions keeps its hash.
  const fields = task.kind === 'change' ? fixedFields : [...fixedFields, 'kind' as const]
  return sha256(canonicalJson(Object.fromEntries(fields.map((field) => [field, task[field]]))))
}

/** Whether two states of a task share what `fixedHash` covers, so that it need not be computed anew. */
export function isFixedAlike(one: Task, other: Task): boolean {
  return one.kind === other.kind && fixedFields.every((field) => one[field] === other[field])
}

const fixedFields = [
  'id',
  'goal',
  'request',
  'repository',
  'base',
  'branch',
  'agent',
  'setup',
  'test',
  'risks',
  'parentTaskId',
  'createdBy',
  'createdAt',
] as const satisfies readonly (keyof Task)[]

/**
 * Over the row of an attempt as it is read back. Its commit is left out, because that holds the hash of the attestation;
 * it follows from the candidate.
 */
export function rowHash(row: Checkpoint): Hash {
  return sha256(canonicalJson(checkpointSchema.parse({ ...row, commit: null })))
}

/** One more link: the chain up to an event, from the chain up to the one before it ('' at first). */
export function chained(before: string, cells: readonly unknown[]): Hash {
  return sha256(`${before}\n${JSON.stringify(cells)}`)
}

/** A key's id. */
export function keyId(key: KeyObject): Hash {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}

/** An Ed25519 public key from its PEM; null where it is none. A private key is none. */
export function publicKeyOf(pem: string): KeyObject | null {
  if (!pem.includes('-----BEGIN PUBLIC KEY-----')) return null
  try {
    const key = createPublicKey(pem)
    return key.asymmetricKeyType === 'ed25519' ? key : null
  } catch {
    return null
  }
}

export function isSignedBy({ body, signature }: SignedAttestation, key: KeyObject): boolean {
  const bytes = Buffer.from(signature, 'base64')
  // Read strictly: a decoder that skips what it does not know would let the cell be changed.
  return bytes.toString('base64') === signature && verify(null, Buffer.from(body), key, bytes)
}
