import { z } from 'zod'
import { failureCodes } from '../domain/failure.ts'
import { boxSpecSchema, checkpointSchema, taskEventSchema, taskSchema } from '../domain/schemas.ts'

// What the control plane answers, as the client reads it.

export const submittedSchema = z.object({ task: taskSchema, notes: z.array(z.string()) })
export const tasksSchema = z.object({ tasks: z.array(taskSchema) })
export const eventsSchema = z.object({ events: z.array(taskEventSchema) })
export const checkpointsSchema = z.object({ checkpoints: z.array(checkpointSchema) })

const findingSchema = z.object({
  name: z.string(),
  state: z.enum(['ok', 'warning', 'problem']),
  text: z.string(),
})
export const doctorSchema = z.object({ findings: z.array(findingSchema) })

export const explanationSchema = z.object({
  boxes: z.array(boxSpecSchema),
  hidden: z.array(z.string()),
  risks: z.array(z.object({ rule: z.string(), text: z.string() })),
  notes: z.array(z.string()),
})

export const eventSightSchema = z.object({ event: taskEventSchema, task: taskSchema })
export const outputSightSchema = z.object({ step: z.number(), box: z.string(), text: z.string() })

export const problemSchema = z.object({ code: z.string(), detail: z.string() })
export const failureCodeSchema = z.enum(failureCodes)

export type Submitted = z.output<typeof submittedSchema>
export type Finding = z.output<typeof findingSchema>
export type Explanation = z.output<typeof explanationSchema>
export type Sight =
  | ({ readonly kind: 'event' } & z.output<typeof eventSightSchema>)
  | ({ readonly kind: 'output' } & z.output<typeof outputSightSchema>)
