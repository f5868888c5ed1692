import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { submittedSchema } from '../../src/domain/answers.ts'
import { questionRequestSchema } from '../../src/domain/question/request.ts'
import { etagHeader, header, json, jsonBody, refusals, type Routes } from './contract.ts'
import { etag } from './etag.ts'
import { idempotencyKey } from './input.ts'
import { oneAtATime } from './under-way.ts'

const ask = createRoute({
  method: 'post',
  path: '/v1/questions',
  summary: 'Ask a question about a repository',
  description:
    'A question is a task of the kind `question`: it passes the same risk gate and is looked at and acted on as any ' +
    'other, but its box can write nothing of the repository, and it ends APPLIED with an `answer`. With `followUp` the ' +
    'agent goes on with the conversation of an answered question, under its policy and within its budget.',
  request: {
    headers: z.object({ 'idempotency-key': idempotencyKey }),
    body: jsonBody(questionRequestSchema),
  },
  responses: {
    201: json(submittedSchema, 'The question as a task, and sentences that a person should read.', {
      ...etagHeader,
      location: header('Where the task is.'),
    }),
    ...refusals(403, 404, 409, 422),
  },
})

export function questionRoute({ app, plane, caller }: Routes): void {
  const submitted = oneAtATime()
  app.openapi(ask, async (context) => {
    const key = context.req.valid('header')['idempotency-key'] ?? null
    const who = caller(context)
    const asked = await submitted(who, key, () => plane.ask(context.req.valid('json'), who, key))
    context.header('location', `/v1/tasks/${asked.task.id}`)
    context.header('etag', etag(asked.task))
    return context.json(asked, 201)
  })
}
