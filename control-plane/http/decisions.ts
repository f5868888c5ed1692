import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { decisionsSchema } from '../../src/domain/answers.ts'
import { taskSchema } from '../../src/domain/schemas.ts'
import { etagHeader, json, jsonBody, refusals, type Routes, taskPath } from './contract.ts'
import { etag } from './etag.ts'
import { words } from './input.ts'

const path = '/v1/tasks/{id}/decisions'

const list = createRoute({
  method: 'get',
  path,
  summary: 'What you can decide on a task, and what was decided last',
  request: { params: taskPath },
  responses: {
    200: json(decisionsSchema, 'Each choice has the id of its button.', etagHeader),
    ...refusals(404),
  },
})

const decide = createRoute({
  method: 'post',
  path,
  summary: 'Decide by a button: it is good once, for its action and for the revision that was shown',
  request: {
    params: taskPath,
    body: jsonBody(
      z.strictObject({
        id: z.string().max(100).meta({
          description:
            'As the choices name it: `tdec:<task>:<action>:<nonce>`, and what stands for the terms.',
        }),
        text: words
          .nullable()
          .default(null)
          .meta({ description: 'A suggestion needs it, a rejection may give it, an approval has none.' }),
      }),
    ),
  },
  responses: {
    200: json(taskSchema, 'The task as it is now.', etagHeader),
    ...refusals(403, 404, 409, 422),
  },
})

/** Decisions by button, for whoever shows buttons. The id binds to what was shown, so that no If-Match is needed. */
export function decisionRoutes({ app, plane, caller }: Routes): void {
  app.openapi(list, (context) => {
    const { id } = context.req.valid('param')
    const decisions = plane.decisions(id, caller(context))
    context.header('etag', etag(plane.task(id)))
    return context.json(decisions, 200)
  })
  app.openapi(decide, async (context) => {
    const { id: button, text } = context.req.valid('json')
    const done = await plane.decide(context.req.valid('param').id, button, text, caller(context))
    context.header('etag', etag(done))
    return context.json(done, 200)
  })
}
