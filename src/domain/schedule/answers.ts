import { z } from 'zod'
import { submittedSchema } from '../answers.ts'
import type { TaskRequest } from '../intake.ts'
import { postureLevels } from '../posture.ts'
import { actorSchema, exactly, limitsSchema, taskIdSchema, termsFields } from '../schemas.ts'
import type { Ran, ScheduleDetail, ShownSchedule } from './port.ts'
import {
  missedPolicies,
  type Occurrence,
  occurrenceStates,
  origins,
  overlapPolicies,
  type Schedule,
  type Timing,
} from './schedule.ts'

// Schedules as they come back from rows and from the wire.

const texts = z.array(z.string())

const requestSchema = exactly<TaskRequest>()(
  z.object({
    goal: z.string(),
    repository: z.string(),
    ref: z.string().nullable(),
    agent: z.object({ name: z.string(), argv: texts }).nullable(),
    setup: z.string().nullable().optional(),
    test: z.string().nullable().optional(),
    budget: z.object({
      steps: z.number().optional(),
      minutes: z.number().optional(),
      tokens: z.number().optional(),
      cost: z.number().optional(),
    }),
    draft: z.boolean(),
    policy: z
      .object({
        allow: texts,
        readonly: texts,
        deny: texts,
        except: texts,
        open: texts,
        onViolation: z.enum(['retry', 'fail']).optional(),
        egress: texts,
        upstreams: texts,
        posture: z.enum(postureLevels).optional(),
        limits: limitsSchema.partial(),
      })
      .nullable(),
  }),
)

const timingSchema = exactly<Timing>()(
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('cron'), cron: z.string(), timezone: z.string() }),
    z.object({ kind: z.literal('every'), every: z.string(), from: z.number() }),
  ]),
)

const fields = {
  name: z.string(),
  origin: z.enum(origins),
  enabled: z.boolean(),
  gone: z.boolean(),
  revision: z.int(),
  decidedTo: z.number(),
  timing: timingSchema,
  missed: z.enum(missedPolicies),
  overlap: z.enum(overlapPolicies),
  autoApprove: z.boolean(),
  task: requestSchema,
  createdBy: actorSchema,
  createdAt: z.number(),
  updatedAt: z.number(),
}
export const scheduleSchema = exactly<Schedule>()(z.object(fields))

export const occurrenceSchema = exactly<Occurrence>()(
  z.object({
    schedule: z.string(),
    plannedAt: z.number(),
    kind: z.enum(['planned', 'asked']),
    state: z.enum(occurrenceStates),
    task: taskIdSchema.nullable(),
    text: z.string(),
    at: z.number(),
  }),
)

const shownFields = { ...fields, nextAt: z.number().nullable(), last: occurrenceSchema.nullable() }
export const shownScheduleSchema = exactly<ShownSchedule>()(z.object(shownFields))
export const scheduleDetailSchema = exactly<ScheduleDetail>()(
  z.object({
    ...shownFields,
    terms: z.object(termsFields).nullable().meta({
      description: 'With what a task of it made now would begin; null where none could be made.',
    }),
    hindrance: z.string().nullable().meta({
      description: 'Why nothing runs by itself when it is due, and what to do next; null where it does.',
    }),
  }),
)
export const schedulesSchema = z.object({ schedules: z.array(shownScheduleSchema) })
export const ranSchema = exactly<Ran>()(
  z.intersection(submittedSchema, z.object({ occurrence: occurrenceSchema })),
)
export const occurrencesSchema = z.object({
  occurrences: z.array(occurrenceSchema),
  /** The cursor of those that follow; null where none do. */
  next: z.string().nullable(),
})
