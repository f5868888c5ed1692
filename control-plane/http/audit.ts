import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { auditPageSchema } from '../../src/domain/answers.ts'
import { auditOutcomes } from '../../src/domain/audit.ts'
import { json, refusals, type Routes } from './contract.ts'
import { numberCursor } from './cursor.ts'
import { count } from './input.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/audit',
  summary: 'Who asked for what, and what became of it; newest first',
  description: 'A row for each call that was to change something, also for those that were refused.',
  request: {
    query: z.strictObject({
      task: z.string().exactOptional().meta({ description: 'Only of this task.' }),
      outcome: z.enum(auditOutcomes).exactOptional(),
      cursor: numberCursor,
      limit: count(1, 1000, 100),
    }),
  },
  responses: {
    200: json(auditPageSchema, 'The rows, and the cursor of those that follow.'),
    ...refusals(403),
  },
})

export function auditRoute({ app, plane, caller }: Routes): void {
  app.openapi(list, (context) => {
    const { task, outcome, cursor: before, limit } = context.req.valid('query')
    const filter = {
      ...(task === undefined ? {} : { taskId: task }),
      ...(outcome === undefined ? {} : { outcome }),
      ...(before === undefined ? {} : { before: Number(before) }),
      limit: limit + 1,
    }
    const rows = plane.access.audit(filter, caller(context))
    const shown = rows.slice(0, limit)
    const next = rows.length > limit ? String(shown.at(-1)?.seq) : null
    return context.json({ rows: [...shown], next }, 200)
  })
}
