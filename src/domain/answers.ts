import type { AgentProgress } from './agent.ts'
import { z } from 'zod'
import { auditOutcomes, type AuditRow } from './audit.ts'
import type { SignedAttestation } from './attestation.ts'
import type {
  AttestationKey,
  Explanation,
  Finding,
  KnownAgent,
  KnownRepository,
  Sight,
} from './control-plane.ts'
import type { Submitted } from './submitted.ts'
import { roles } from './caller.ts'
import { mergeWays } from './delivery/merge.ts'
import { forgeKinds } from './delivery/pull.ts'
import { markRules } from './marks/mark.ts'
import { abilities, acts } from './rights.ts'
import type { Decisions } from './decision.ts'
import type { Day } from './day.ts'
import { failureCodes } from './failure.ts'
import {
  actorSchema,
  boxSpecSchema,
  checkpointSchema,
  egressRowSchema,
  exactly,
  mergeSchema,
  policySchema,
  pullSchema,
  riskSchema,
  taskEventSchema,
  taskIdSchema,
  taskSchema,
} from './schemas.ts'
import type { Reviewed } from './review/review.ts'
import { scopes } from './scopes.ts'
import { type Letter, letterStates } from './outbox/letter.ts'
import { kinds } from './search/piece.ts'
import type { FoundTask, SearchAnswer } from './search/search.ts'
import type { Snippet } from './search/snippet.ts'
import { deliveries, outcomes, phases, statuses, taskKinds } from './task.ts'
import type { NewToken, Token } from './token.ts'
import type { Verification } from './verification/verify.ts'

// What the control plane answers, as its clients read it.

const texts = z.array(z.string())

/** Nobody else says this of themselves: a client sends its token after it has read it. */
export const healthSchema = z.object({ status: z.literal('ok'), service: z.literal('cofferdam') })
export const submittedSchema = exactly<Submitted>()(z.object({ task: taskSchema, notes: texts }))
export const reviewedSchema = exactly<Reviewed>()(
  z.object({ task: taskSchema, followUp: taskSchema.nullable(), notes: texts }),
)
export const tasksSchema = z.object({
  tasks: z.array(taskSchema),
  /** The cursor of those that follow; null where none do. */
  next: z.string().nullable(),
})
export const repositoriesSchema = z.object({
  repositories: z.array(
    exactly<KnownRepository>()(
      z.object({
        path: z.string(),
        configured: z.boolean(),
        agent: z.string().nullable(),
        setup: z.string().nullable(),
        test: z.string().nullable(),
        tasks: z.int().nonnegative(),
        lastTaskAt: z.number().nullable(),
        remote: z
          .object({
            url: z.string(),
            state: z.enum(['missing', 'cloning', 'cloned']),
            progress: z.string().nullable(),
            fetchedAt: z.number().nullable(),
            error: z.string().nullable(),
          })
          .nullable(),
      }),
    ),
  ),
})
export const agentsSchema = z.object({
  agents: z.array(
    exactly<KnownAgent>()(z.object({ name: z.string(), usual: z.boolean(), answers: z.boolean() })),
  ),
})
const counted = z.record(z.enum(statuses), z.int().nonnegative())
export const countsSchema = z.object({ counts: counted, needing: counted })
export const daysSchema = z.object({
  days: z.array(
    exactly<Day>()(
      z.object({
        day: z.iso.date(),
        tasks: z.int().nonnegative(),
        applied: z.int().nonnegative(),
        steps: z.int().nonnegative(),
        ms: z.number().nonnegative(),
        tokens: z.number().nonnegative(),
        costUsd: z.number().nonnegative(),
      }),
    ),
  ),
})
export const actsSchema = z.object({ acts: z.array(z.enum(acts)) })
/** Who asks, and what they can do that is not about one task. */
export const sessionSchema = z.object({
  actor: actorSchema,
  role: z.enum(roles),
  may: z.array(z.enum(abilities)),
})
export const eventsSchema = z.object({ events: z.array(taskEventSchema) })
export const checkpointsSchema = z.object({ checkpoints: z.array(checkpointSchema) })

export const decisionsSchema = exactly<Decisions>()(
  z.object({
    taskId: taskIdSchema,
    status: z.enum(statuses),
    revision: z.int(),
    offer: z
      .object({
        openedAt: z.number(),
        expiresAt: z.number(),
        expired: z.boolean(),
        choices: z.array(z.object({ action: z.string(), id: z.string() })),
      })
      .nullable(),
    merge: z
      .object({ into: z.string(), how: z.enum(mergeWays), accepts: z.array(z.enum(markRules)) })
      .nullable(),
    pull: z
      .object({
        forge: z.enum(forgeKinds),
        project: z.string(),
        into: z.string(),
        draft: z.boolean(),
        accepts: z.array(z.enum(markRules)),
      })
      .nullable(),
    last: z
      .object({ action: z.string(), by: actorSchema, text: z.string().nullable(), at: z.number() })
      .nullable(),
  }),
)

export const letterSchema = exactly<Letter>()(
  z.object({
    id: z.string(),
    seq: z.int(),
    destination: z.string(),
    taskId: taskIdSchema,
    event: z.int(),
    type: z.string(),
    body: z.string(),
    state: z.enum(letterStates),
    attempts: z.int(),
    fence: z.int(),
    error: z.string().nullable(),
    createdAt: z.number(),
    nextAt: z.number(),
    leaseUntil: z.number().nullable(),
    endedAt: z.number().nullable(),
    actor: actorSchema.nullable(),
  }),
)
export const lettersSchema = z.object({
  letters: z.array(letterSchema),
  /** The cursor of those that follow; null where none do. */
  next: z.string().nullable(),
})

export const egressLogSchema = z.object({ egress: z.array(egressRowSchema) })

export const signedAttestationSchema = exactly<SignedAttestation>()(
  z.object({
    taskId: taskIdSchema,
    seq: z.int(),
    body: z.string(),
    hash: z.string(),
    key: z.string(),
    signature: z.string(),
  }),
)
export const attestationsSchema = z.object({ attestations: z.array(signedAttestationSchema) })
export const attestationKeySchema = exactly<AttestationKey>()(z.object({ id: z.string(), pem: z.string() }))
export const verificationSchema = exactly<Verification>()(
  z.object({
    task: taskIdSchema,
    attestations: z.int(),
    holds: z.boolean(),
    findings: z.array(z.object({ where: z.string(), text: z.string() })),
    notes: texts,
  }),
)

const snippetSchema = exactly<Snippet>()(
  z.object({
    kind: z.enum(kinds),
    step: z.int().nullable(),
    parts: z.array(z.object({ text: z.string(), hit: z.boolean() })),
  }),
)
const foundTaskSchema = exactly<FoundTask>()(
  z.object({
    id: taskIdSchema,
    kind: z.enum(taskKinds),
    status: z.enum(statuses),
    outcome: z.enum(outcomes).nullable(),
    phase: z.enum(phases).nullable(),
    delivery: z.enum(deliveries),
    merge: mergeSchema.nullable(),
    pull: pullSchema.nullable(),
    goal: z.string(),
    repository: z.object({ path: z.string(), key: z.string() }),
    branch: z.string(),
    createdAt: z.number(),
    updatedAt: z.number(),
  }),
)
export const searchAnswerSchema = exactly<SearchAnswer>()(
  z.object({
    hits: z.array(z.object({ task: foundTaskSchema, snippets: z.array(snippetSchema) })),
    more: z.boolean(),
    behind: z.int().nonnegative(),
  }),
)

const findingSchema = exactly<Finding>()(
  z.object({ name: z.string(), state: z.enum(['ok', 'warning', 'problem']), text: z.string() }),
)
export const doctorSchema = z.object({ findings: z.array(findingSchema) })

export const explanationSchema = exactly<Explanation>()(
  z.object({
    policy: policySchema,
    boxes: z.array(boxSpecSchema),
    hidden: texts,
    risks: z.array(riskSchema),
    notes: texts,
  }),
)

const progressSchema = exactly<AgentProgress>()(
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('said'), text: z.string() }),
    z.object({
      kind: z.literal('tool'),
      tool: z.string(),
      text: z.string(),
      paths: z.array(z.string()),
    }),
    z.object({ kind: z.literal('line'), text: z.string() }),
    z.object({ kind: z.literal('spent'), tokens: z.number(), costUsd: z.number() }),
  ]),
)

export const sightSchema = exactly<Sight>()(
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('event'), event: taskEventSchema, task: taskSchema }),
    z.object({
      kind: z.literal('output'),
      step: z.number(),
      box: z.string(),
      text: z.string(),
      progress: z.array(progressSchema).optional(),
    }),
  ]),
)

export const tokenSchema = exactly<Token>()(
  z.object({
    id: z.string(),
    name: z.string(),
    role: z.enum(roles),
    scopes: z.array(z.enum(scopes)),
    createdAt: z.number(),
    createdBy: actorSchema,
    expiresAt: z.number().nullable(),
    revokedAt: z.number().nullable(),
    lastUsedAt: z.number().nullable(),
  }),
)
export const tokensSchema = z.object({ tokens: z.array(tokenSchema) })
export const newTokenSchema = exactly<NewToken>()(z.object({ token: tokenSchema, secret: z.string() }))

export const auditRowSchema = exactly<AuditRow>()(
  z.object({
    seq: z.int(),
    at: z.number(),
    actor: actorSchema.nullable(),
    action: z.string(),
    taskId: z.string().nullable(),
    outcome: z.enum(auditOutcomes),
    text: z.string(),
    requestId: z.string(),
  }),
)
export const auditPageSchema = z.object({
  rows: z.array(auditRowSchema),
  /** The cursor of those that follow; null where none do. */
  next: z.string().nullable(),
})

/** An error (RFC 9457); `code` is one of the failures, or one of the protocol. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  /** Names the request in the log. */
  requestId: z.string(),
  /** Of an input: what is wrong with it, and where (a JSON Pointer into the body, or a parameter's name). */
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).exactOptional(),
})
export const failureCodeSchema = z.enum(failureCodes)
