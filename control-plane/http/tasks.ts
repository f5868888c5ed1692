import { createRoute } from '@hono/zod-openapi'
import type { TypedResponse } from 'hono'
import { z } from 'zod'
import { eventsSchema, submittedSchema, tasksSchema } from '../../src/domain/answers.ts'
import { taskRequestSchema } from '../../src/domain/intake.ts'
import { taskSchema } from '../../src/domain/schemas.ts'
import { taskKinds } from '../../src/domain/task.ts'
import { empty, etagHeader, header, json, jsonBody, refusals, type Routes, taskPath } from './contract.ts'
import { cursor, cursorOf } from './cursor.ts'
import { etag, isKnown } from './etag.ts'
import { pageWriter } from './task-json.ts'
import { oneAtATime } from './under-way.ts'
import { count, idempotencyKey, repositoryFilter, statusList, time } from './input.ts'

const submit = createRoute({
  method: 'post',
  path: '/v1/tasks',
  summary: 'Start a task',
  description: 'What the risk gate stops, or was asked for as a draft, is a DRAFT and waits for approval.',
  request: {
    headers: z.object({ 'idempotency-key': idempotencyKey }),
    body: jsonBody(taskRequestSchema),
  },
  responses: {
    201: json(submittedSchema, 'The task, and sentences that a person should read.', {
      ...etagHeader,
      location: header('Where the task is.'),
    }),
    ...refusals(403, 409, 422),
  },
})

const list = createRoute({
  method: 'get',
  path: '/v1/tasks',
  summary: 'Tasks, newest first',
  request: {
    query: z.strictObject({
      status: statusList.exactOptional(),
      kind: z.enum(taskKinds).exactOptional(),
      repository: repositoryFilter.exactOptional(),
      needs_person: z
        .enum(['true', 'false'])
        .exactOptional()
        .meta({ description: 'Those that rest until a person says how they go on, or all others.' }),
      since: time,
      until: time,
      cursor,
      limit: count(1, 1000, 100),
    }),
  },
  responses: { 200: json(tasksSchema, 'The tasks, and the cursor of those that follow.') },
})

const show = createRoute({
  method: 'get',
  path: '/v1/tasks/{id}',
  summary: 'A task',
  request: { params: taskPath, headers: z.object({ 'if-none-match': z.string().exactOptional() }) },
  responses: {
    200: json(taskSchema, 'The task.', etagHeader),
    304: empty('It is as If-None-Match says.', etagHeader),
  },
})

const events = createRoute({
  method: 'get',
  path: '/v1/tasks/{id}/events',
  summary: 'What happened on a task',
  description: 'At most 1,000, oldest first; those above `after` are asked for next by the last `seq`.',
  request: {
    params: taskPath,
    query: z.strictObject({ after: count(0, Number.MAX_SAFE_INTEGER, 0) }),
  },
  responses: { 200: json(eventsSchema, 'The events.') },
})

/** Its JSON is put together from that of its tasks. */
type Page = Response & TypedResponse<z.output<typeof tasksSchema>, 200, 'json'>

/** Tasks: made, listed, shown. */
export function taskRoutes({ app, plane, caller }: Routes): void {
  const submitted = oneAtATime()
  app.openapi(submit, async (context) => {
    const key = context.req.valid('header')['idempotency-key'] ?? null
    const who = caller(context)
    const made = await submitted(who, key, () => plane.submit(context.req.valid('json'), who, key))
    context.header('location', `/v1/tasks/${made.task.id}`)
    context.header('etag', etag(made.task))
    return context.json(made, 201)
  })
  const pageJson = pageWriter()
  app.openapi(list, (context) => {
    const { status, needs_person: needs, cursor: after, limit, ...filter } = context.req.valid('query')
    const found = plane.tasks({
      ...filter,
      ...(status === undefined ? {} : { statuses: status }),
      ...(needs === undefined ? {} : { needsPerson: needs === 'true' }),
      ...(after === undefined ? {} : { after }),
      limit: limit + 1,
    })
    const last = found.length > limit ? found[limit - 1] : undefined
    const next = last === undefined ? null : cursorOf(last)
    const text = pageJson(found.slice(0, limit), next)
    return context.body(text, 200, { 'content-type': 'application/json' }) as unknown as Page
  })
  app.openapi(show, (context) => {
    const task = plane.task(context.req.valid('param').id)
    context.header('etag', etag(task))
    if (isKnown(context.req.valid('header')['if-none-match'], task)) return context.body(null, 304)
    return context.json(task, 200)
  })
  app.openapi(events, (context) => {
    const { after } = context.req.valid('query')
    return context.json({ events: [...plane.events(context.req.valid('param').id, after)] }, 200)
  })
}
