import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { countsSchema, daysSchema } from '../../src/domain/answers.ts'
import { json, type Routes } from './contract.ts'
import { count } from './input.ts'

const counts = createRoute({
  method: 'get',
  path: '/v1/counts',
  summary: 'How many tasks there are in each state',
  responses: {
    200: json(countsSchema, 'Every state, also those of none; `needing`: how many of them need a person.'),
  },
})
const days = createRoute({
  method: 'get',
  path: '/v1/days',
  summary: 'What the tasks of each day have used, by the day on which they were made',
  request: {
    query: z.strictObject({
      days: count(1, 366, 30).meta({ description: 'So many, today included.' }),
      offset: count(-14 * 60, 14 * 60, 0).meta({
        description: 'By clocks that are so many minutes before UTC, as 60 for UTC+1.',
      }),
    }),
  },
  responses: { 200: json(daysSchema, 'Oldest first, also days of no task.') },
})

/** All tasks together. */
export function overviewRoutes({ app, plane }: Routes): void {
  app.openapi(counts, (context) => context.json({ counts: plane.counts(), needing: plane.needing() }, 200))
  app.openapi(days, (context) => context.json({ days: [...plane.days(context.req.valid('query'))] }, 200))
}
