import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { ControlPlane } from '../../src/domain/control-plane.ts'
import { Failure, messageOf } from '../../src/domain/failure.ts'
import {
  occurrencesSchema,
  ranSchema,
  schedulesSchema,
  shownScheduleSchema,
} from '../../src/domain/schedule/answers.ts'
import type { ShownSchedule } from '../../src/domain/schedule/port.ts'
import { scheduleChangeSchema, scheduleRequestSchema } from '../../src/domain/schedule/request.ts'
import { empty, header, json, jsonBody, refusals, type Routes, schedulePath } from './contract.ts'
import { numberCursor } from './cursor.ts'
import { count, idempotencyKey, ifScheduleMatch, shownRevision } from './input.ts'
import { Stale } from './problem.ts'

const scheduleEtag = { etag: header('The schedule as it is: `"<revision>"`.') } as const
const etag = ({ revision }: Pick<ShownSchedule, 'revision'>): string => `"${revision}"`
const shownNow = json(shownScheduleSchema, 'The schedule as it is now.', scheduleEtag)
const bound = z.object({ 'if-match': ifScheduleMatch })
const path = '/v1/schedules/{name}'
const nothing = z.strictObject({})

const list = createRoute({
  method: 'get',
  path: '/v1/schedules',
  summary: 'The schedules',
  responses: { 200: json(schedulesSchema, 'In order of their names.') },
})
const create = createRoute({
  method: 'post',
  path: '/v1/schedules',
  summary: 'Make a schedule',
  description:
    'Takes `cron` (with `timezone`, else UTC) or `every`. Each of its tasks passes the risk gate. The same once more is ' +
    'answered as before. With `missed: once` one task makes up for all runs that nobody was there for, with `all` one ' +
    'for each of the last 24, with `skip` none.',
  request: { body: jsonBody(scheduleRequestSchema) },
  responses: {
    201: json(shownScheduleSchema, 'The schedule.', {
      ...scheduleEtag,
      location: header('Where the schedule is.'),
    }),
    ...refusals(403, 409, 422),
  },
})
const show = createRoute({
  method: 'get',
  path,
  summary: 'A schedule',
  request: { params: schedulePath },
  responses: { 200: json(shownScheduleSchema, 'The schedule.', scheduleEtag) },
})
const update = createRoute({
  method: 'put',
  path,
  summary: 'Change a schedule: all of it is given anew',
  description: 'Not one of the configuration. Runs that wait are skipped.',
  request: { params: schedulePath, headers: bound, body: jsonBody(scheduleChangeSchema) },
  responses: { 200: shownNow, ...refusals(403, 409, 412, 422) },
})
const remove = createRoute({
  method: 'delete',
  path,
  summary: 'Remove a schedule; its tasks stay',
  request: { params: schedulePath, headers: bound },
  responses: { 204: empty('It is removed.'), ...refusals(403, 409, 412) },
})
const run = createRoute({
  method: 'post',
  path: `${path}/run`,
  summary: 'Make a task of a schedule now',
  description: 'Whatever its overlap policy says, and also while it is disabled. The task is the caller’s.',
  request: {
    params: schedulePath,
    headers: z.object({ 'idempotency-key': idempotencyKey }),
    body: jsonBody(nothing, false),
  },
  responses: {
    201: json(ranSchema, 'The task, and the run that it is.', { location: header('Where the task is.') }),
    ...refusals(403, 409, 422),
  },
})
const occurrences = createRoute({
  method: 'get',
  path: `${path}/occurrences`,
  summary: 'What became of the runs of a schedule, newest first',
  request: {
    params: schedulePath,
    query: z.strictObject({
      cursor: numberCursor,
      limit: count(1, 1000, 100),
    }),
  },
  responses: { 200: json(occurrencesSchema, 'The runs, and the cursor of those that follow.') },
})

/** Schedules, and what they have made. */
export function scheduleRoutes({ app, plane, caller }: Routes): void {
  const { schedules } = plane
  app.openapi(list, (context) => context.json({ schedules: [...schedules.list()] }, 200))
  app.openapi(create, (context) => {
    const made = schedules.create(context.req.valid('json'), caller(context))
    context.header('location', `/v1/schedules/${made.name}`)
    context.header('etag', etag(made))
    return context.json(made, 201)
  })
  app.openapi(show, (context) => {
    const shown = schedules.show(context.req.valid('param').name)
    context.header('etag', etag(shown))
    return context.json(shown, 200)
  })
  app.openapi(update, (context) => {
    const { name } = context.req.valid('param')
    const shown = shownRevision(context.req.valid('header')['if-match'])
    const changed = onShown(plane, name, shown, () =>
      schedules.update(name, context.req.valid('json'), caller(context), shown),
    )
    context.header('etag', etag(changed))
    return context.json(changed, 200)
  })
  app.openapi(remove, (context) => {
    const { name } = context.req.valid('param')
    const shown = shownRevision(context.req.valid('header')['if-match'])
    onShown(plane, name, shown, () => schedules.remove(name, caller(context), shown))
    return context.body(null, 204)
  })
  for (const [enabled, route] of [
    [true, switching('enable', 'Have a schedule run; what was planned while it was disabled is not missed')],
    [false, switching('disable', 'Have a schedule rest; runs that wait are skipped')],
  ] as const) {
    app.openapi(route, (context) => {
      const switched = schedules.enable(context.req.valid('param').name, enabled, caller(context))
      context.header('etag', etag(switched))
      return context.json(switched, 200)
    })
  }
  app.openapi(run, async (context) => {
    const key = context.req.valid('header')['idempotency-key'] ?? null
    const ran = await schedules.run(context.req.valid('param').name, caller(context), key)
    context.header('location', `/v1/tasks/${ran.task.id}`)
    return context.json(ran, 201)
  })
  app.openapi(occurrences, (context) => {
    const { cursor, limit } = context.req.valid('query')
    const before = cursor === undefined ? null : Number(cursor)
    const found = schedules.occurrences(context.req.valid('param').name, before, limit + 1)
    const last = found.length > limit ? found[limit - 1] : undefined
    const next = last === undefined ? null : String(last.plannedAt)
    return context.json({ occurrences: found.slice(0, limit), next }, 200)
  })
}

/** Also one of the configuration. */
const switching = (name: 'enable' | 'disable', summary: string) =>
  createRoute({
    method: 'post',
    path: `${path}/${name}`,
    summary,
    request: { params: schedulePath, body: jsonBody(nothing, false) },
    responses: { 200: shownNow, ...refusals(403, 409) },
  })

/** What is bound to a revision that is no longer that of the schedule is a 412. */
function onShown<T>(plane: ControlPlane, name: string, shown: number | null, change: () => T): T {
  try {
    return change()
  } catch (error) {
    const conflict = error instanceof Failure && error.code === 'conflict'
    const now = conflict && shown !== null ? plane.schedules.show(name) : null
    if (now !== null && now.origin === 'api' && now.revision !== shown) throw new Stale(messageOf(error))
    throw error
  }
}
