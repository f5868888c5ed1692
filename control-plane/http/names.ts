import { z } from 'zod'
import { problemSchema } from '../../src/domain/answers.ts'
import { taskRequestSchema } from '../../src/domain/intake.ts'
import { questionRequestSchema } from '../../src/domain/question/request.ts'
import {
  occurrenceSchema,
  scheduleDetailSchema,
  shownScheduleSchema,
} from '../../src/domain/schedule/answers.ts'
import {
  boxSpecSchema,
  checkpointSchema,
  egressRowSchema,
  policySchema,
  taskEventSchema,
  taskSchema,
} from '../../src/domain/schemas.ts'

/** What has a name of its own in the document of the API. Answers and inputs are never the same schema. */
const named: Readonly<Record<string, z.ZodType>> = {
  Task: taskSchema,
  Event: taskEventSchema,
  Checkpoint: checkpointSchema,
  EgressRow: egressRowSchema,
  Policy: policySchema,
  BoxSpec: boxSpecSchema,
  Schedule: shownScheduleSchema,
  ScheduleDetail: scheduleDetailSchema,
  Occurrence: occurrenceSchema,
  Problem: problemSchema,
  TaskRequest: taskRequestSchema,
  QuestionRequest: questionRequestSchema,
}

export function nameSchemas(): void {
  for (const [id, schema] of Object.entries(named)) z.globalRegistry.add(schema, { id })
}
