import { z } from 'zod'
import { type AgentChoice, agentErrors, type AgentResult, type Marker, type Usage } from './agent.ts'
import type { BoxEnd, BoxMount, BoxSource, BoxSpec } from './box.ts'
import type { BoxPath, CommitId, TreeId } from './brand.ts'
import type { Egress, EgressCounts, EgressRow } from './egress.ts'
import { type Merge, mergeWays } from './delivery/merge.ts'
import { refusals } from './delivery/refusal.ts'
import { forgeKinds, type Pull, pullRefusals } from './delivery/pull.ts'
import { acceptRules, type Mark, markRules } from './marks/mark.ts'
import { parseTaskId, type TaskId } from './ids.ts'
import type { Policy, Violation } from './policy.ts'
import { postureLevels } from './posture.ts'
import {
  actorKinds,
  type Actor,
  type BoxRecord,
  type Checkpoint,
  deliveries,
  haltReasons,
  outcomes,
  phases,
  type RiskReason,
  statuses,
  type Task,
  type TaskEvent,
  taskKinds,
  type TestResult,
} from './task.ts'
import type { Candidate } from './worktree.ts'

// What comes back from rows and from the wire is parsed here; inside, the types are trusted.

type Plain<T> = T extends string | number | boolean | null | undefined
  ? T
  : unknown extends T
    ? T
    : { -readonly [Key in keyof T]: Plain<T[Key]> }

/** Proves in both directions that a schema and its type say the same, so neither can grow alone. */
export const exactly =
  <T>() =>
  <S extends z.ZodType<T>>(schema: S & (Plain<T> extends z.output<S> ? unknown : never)): z.ZodType<T> =>
    schema

const gitId = /^([0-9a-f]{40}|[0-9a-f]{64})$/
const matching = (value: unknown, pattern: RegExp) => typeof value === 'string' && pattern.test(value)
// What documents of the API say of a brand, which has no other description.
const text = (pattern: RegExp) => ({ type: 'string', pattern: pattern.source })
export const commitIdSchema = z
  .custom<CommitId>((value) => matching(value, gitId), 'is no full commit id')
  .register(z.globalRegistry, text(gitId))
export const treeIdSchema = z
  .custom<TreeId>((value) => matching(value, gitId), 'is no full tree id')
  .register(z.globalRegistry, text(gitId))
const boxPath = z
  .custom<BoxPath>((value) => matching(value, /^\//), 'is no absolute path')
  .register(z.globalRegistry, text(/^\//))
export const taskIdSchema = z
  .custom<TaskId>((value) => typeof value === 'string' && parseTaskId(value) !== null, 'is no task id')
  .register(z.globalRegistry, text(/^[a-z2-7]{10}$/))
const count = z.int().nonnegative()
const texts = z.array(z.string())

export const actorSchema = exactly<Actor>()(z.object({ kind: z.enum(actorKinds), id: z.string() }))

const limits = {
  memoryMb: z.number(),
  cpus: z.number(),
  pids: z.number(),
  openFiles: z.number(),
  fileMb: z.number(),
  tmpMb: z.number(),
  outputMb: z.number(),
  worktreeMb: z.number(),
  worktreeFiles: z.number(),
  upMb: z.number(),
  downMb: z.number(),
  connections: z.number(),
  diskFreeMb: z.number(),
}

/** Those of a policy; a box has no time of a test or a setup. */
export const limitsSchema = z.object({ ...limits, testSeconds: z.number(), setupSeconds: z.number() })

export const policySchema = exactly<Policy>()(
  z.object({
    allow: texts,
    readonly: texts,
    deny: texts,
    except: texts,
    onViolation: z.enum(['retry', 'fail']),
    egress: texts,
    upstreams: texts,
    posture: z.enum(postureLevels),
    limits: limitsSchema,
  }),
)

export const violationSchema = exactly<Violation>()(
  z.object({
    path: z.string(),
    rule: z.string(),
    kind: z.enum(['deny', 'readonly']),
    what: z.enum(['created', 'changed', 'mask']),
    found: z.string(),
  }),
)

const sourceSchema = exactly<BoxSource>()(
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal(['worktree', 'setup']), path: z.string() }),
    z.object({ kind: z.literal('tree'), commit: commitIdSchema, writes: z.enum(['discard', 'keep']) }),
    z.object({ kind: z.literal('cache'), name: z.string(), writes: z.enum(['keep', 'none']) }),
    z.object({
      kind: z.literal(['git', 'pointer', 'attempt', 'agent', 'channel', 'empty-file', 'empty-folder']),
    }),
  ]),
)

const mountSchema = exactly<BoxMount>()(
  z.object({
    source: sourceSchema,
    target: boxPath,
    readonly: z.boolean(),
    why: z.string(),
    placeholder: z.enum(['file', 'folder']).exactOptional(),
  }),
)

const egressSchema = exactly<Egress>()(
  z.object({
    tunnels: z.array(
      z.object({ host: z.string(), ports: z.array(count), inside: z.boolean(), why: z.string() }),
    ),
    upstreams: texts,
    limits: z.object({ connections: count, upMb: z.number(), downMb: z.number() }),
  }),
)

export const boxSpecSchema = exactly<BoxSpec>()(
  z.object({
    name: z.string(),
    kind: z.enum(['setup', 'baseline', 'agent', 'test']),
    task: taskIdSchema,
    step: count,
    attempt: count,
    fence: count,
    image: z.string(),
    user: z.object({ uid: count, gid: count }),
    folder: boxPath,
    argv: texts,
    stdin: boxPath.nullable(),
    env: z.record(z.string(), z.string()),
    egress: egressSchema.nullable(),
    mounts: z.array(mountSchema),
    limits: z.object({ ...limits, seconds: z.number() }),
  }),
)

const markerSchema = exactly<Marker>()(
  z.discriminatedUnion('state', [
    z.object({ state: z.enum(['DONE', 'CONTINUE', 'NONE']) }),
    z.object({ state: z.literal('BLOCKED'), blockReason: z.string() }),
  ]),
)

const usageSchema = exactly<Usage>()(
  z.object({ inputTokens: z.number(), outputTokens: z.number(), costUsd: z.number().nullable() }),
)

const agentChoiceSchema = exactly<AgentChoice>()(
  z.object({ name: z.string(), argv: texts, fallback: texts.optional() }),
)

const agentResultSchema = exactly<AgentResult>()(
  z.object({
    marker: markerSchema,
    text: z.string(),
    exitCode: z.int().nullable(),
    session: z.string().nullable(),
    usage: usageSchema.nullable(),
    failure: z.string().nullable(),
    error: z.enum(agentErrors).optional(),
    by: z.string().optional(),
  }),
)

const candidateSchema = exactly<Candidate>()(
  z.object({
    commit: commitIdSchema,
    tree: treeIdSchema,
    changed: z.boolean(),
    leftOut: z.array(z.object({ path: z.string(), why: z.string(), undone: z.boolean().optional() })),
    stat: z.object({ files: count, insertions: count, deletions: count }),
    paths: texts.optional(),
  }),
)

export const endSchema = exactly<BoxEnd>()(
  z.enum(['exited', 'time', 'killed', 'oom', 'pids', 'disk', 'grown', 'output', 'not_started', 'engine']),
)

const egressCountsSchema = exactly<EgressCounts>()(
  z.object({
    allowed: count,
    denied: count,
    bytesUp: count,
    bytesDown: count,
    inputTokens: count,
    outputTokens: count,
    costUsd: z.number().nullable(),
  }),
)

export const boxRecordSchema = exactly<BoxRecord>()(
  z.object({
    kind: z.enum(['setup', 'baseline', 'agent', 'test']),
    name: z.string(),
    specHash: z.string(),
    image: z.string(),
    end: endSchema,
    exitCode: z.int().nullable(),
    peaks: z.object({
      memoryMb: z.number().nullable(),
      pids: z.number().nullable(),
      cpuMs: z.number().nullable(),
    }),
    egress: egressCountsSchema.nullable(),
  }),
)

const testResultSchema = exactly<TestResult>()(
  z.object({ passed: z.boolean(), end: endSchema, exitCode: z.int().nullable(), tail: z.string() }),
)

export const riskSchema = exactly<RiskReason>()(z.object({ rule: z.string(), text: z.string() }))

const markSchema = exactly<Mark>()(z.object({ rule: z.enum(markRules), path: z.string(), text: z.string() }))

export const mergeSchema = exactly<Merge>()(
  z.object({
    into: z.string(),
    how: z.enum(mergeWays),
    accepted: z.array(z.enum(acceptRules)),
    at: z.number(),
    tries: count,
    from: commitIdSchema.nullable(),
    commit: commitIdSchema.nullable(),
    said: z.string().nullable(),
    // Neither is on record of what older versions have decided.
    refusal: z.enum(refusals).nullable().default(null),
  }),
)

export const pullSchema = exactly<Pull>()(
  z.object({
    forge: z.enum(forgeKinds),
    project: z.string(),
    remote: z.string(),
    into: z.string(),
    draft: z.boolean(),
    // Not on record of what an older version has decided.
    accepted: z.array(z.enum(acceptRules)).default([]),
    at: z.number(),
    pushed: commitIdSchema.nullable(),
    number: count.nullable(),
    url: z.string().nullable(),
    said: z.string().nullable(),
    unfollowed: z.string().nullable().default(null),
    refusal: z.enum(pullRefusals).nullable().default(null),
  }),
)

/** The fields of `Terms`. */
export const termsFields = {
  kind: z.enum(taskKinds),
  repository: z.object({ path: z.string(), key: z.string() }),
  base: z.object({ ref: z.string(), commit: commitIdSchema }),
  agent: agentChoiceSchema,
  setup: z.string().nullable(),
  test: z.string().nullable(),
  policy: policySchema,
  budget: z.object({
    steps: z.number(),
    seconds: z.number(),
    tokens: z.number().nullable(),
    costUsd: z.number().nullable(),
  }),
}

export const taskSchema = exactly<Task>()(
  z.object({
    id: taskIdSchema,
    ...termsFields,
    status: z.enum(statuses),
    phase: z.enum(phases).nullable(),
    halt: z.object({ reason: z.enum(haltReasons), text: z.string() }).nullable(),
    version: count,
    revision: count,
    fence: count,
    leaseUntil: z.number().nullable(),
    goal: z.string(),
    request: z.string(),
    head: commitIdSchema,
    branch: z.string(),
    policyHash: z.string(),
    spent: z.object({ steps: count, ms: z.number(), tokens: z.number(), costUsd: z.number() }),
    step: count,
    attempt: count,
    violations: count,
    losses: count,
    instruction: z.string().nullable(),
    priorFailure: z.string().nullable(),
    baseline: z.string().nullable(),
    setupKey: z.string().nullable(),
    progress: z.object({ signature: z.string(), repeats: count }),
    risks: z.array(riskSchema),
    outcome: z.enum(outcomes).nullable(),
    marks: z.array(markSchema).nullable(),
    answer: z.string().nullable(),
    delivery: z.enum(deliveries),
    merge: mergeSchema.nullable(),
    pull: pullSchema.nullable(),
    parentTaskId: taskIdSchema.nullable(),
    createdBy: actorSchema,
    createdAt: z.number(),
    updatedAt: z.number(),
  }),
)

export const checkpointSchema = exactly<Checkpoint>()(
  z.object({
    taskId: taskIdSchema,
    step: count,
    attempt: count,
    fence: count,
    state: z.enum(['open', 'kept', 'partial', 'dropped']),
    box: boxSpecSchema.nullable(),
    boxes: z.array(boxRecordSchema),
    charged: z.number(),
    instruction: z.string().nullable(),
    agent: agentResultSchema.nullable(),
    violations: z.array(violationSchema),
    candidate: candidateSchema.nullable(),
    test: testResultSchema.nullable(),
    commit: commitIdSchema.nullable(),
    startedAt: z.number(),
    endedAt: z.number().nullable(),
  }),
)

export const taskEventSchema = exactly<TaskEvent>()(
  z.object({
    taskId: taskIdSchema,
    seq: z.int().positive(),
    at: z.number(),
    type: z.string(),
    actor: actorSchema,
    from: z.enum(statuses).nullable(),
    to: z.enum(statuses),
    step: count,
    attempt: count,
    fence: count,
    text: z.string(),
    data: z.record(z.string(), z.unknown()),
  }),
)

const maybeCount = count.nullable()

export const egressRowSchema = exactly<EgressRow>()(
  z.object({
    taskId: taskIdSchema,
    box: z.string(),
    id: z.int().positive(),
    at: z.number(),
    kind: z.enum(['tunnel', 'forward', 'upstream', 'other']),
    host: z.string(),
    port: maybeCount,
    method: z.string().nullable(),
    path: z.string().nullable(),
    verdict: z.enum(['allowed', 'denied', 'failed']),
    rule: z.string(),
    text: z.string(),
    address: z.string().nullable(),
    bytesUp: maybeCount,
    bytesDown: maybeCount,
  }),
)
