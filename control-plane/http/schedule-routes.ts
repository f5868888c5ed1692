import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import {
  occurrencesSchema,
  ranSchema,
  scheduleDetailSchema,
  schedulesSchema,
} from '../../src/domain/schedule/answers.ts'
import { scheduleChangeSchema, scheduleRequestSchema } from '../../src/domain/schedule/request.ts'
import { empty, header, json, jsonBody, refusals, schedulePath } from './contract.ts'
import { numberCursor } from './cursor.ts'
import { count, idempotencyKey, ifScheduleMatch } from './input.ts'

const scheduleEtag = { etag: header('The schedule as it is: `"<revision>"`.') } as const
const shownNow = json(scheduleDetailSchema, 'The schedule as it is now.', scheduleEtag)
const bound = z.object({ 'if-match': ifScheduleMatch })
const path = '/v1/schedules/{name}'
const nothing = z.strictObject({})

export const list = createRoute({
  method: 'get',
  path: '/v1/schedules',
  summary: 'The schedules',
  responses: { 200: json(schedulesSchema, 'In order of their names.') },
})
export const create = createRoute({
  method: 'post',
  path: '/v1/schedules',
  summary: 'Make a schedule',
  description:
    'Takes `cron` (with `timezone`, else UTC) or `every`. Each of its tasks passes the risk gate. The same once more is ' +
    'answered as before. With `missed: once` one task makes up for all runs that nobody was there for, with `all` one ' +
    'for each of the last 24, with `skip` none. `hindrance` says where nothing would run by itself when it is due.',
  request: { body: jsonBody(scheduleRequestSchema) },
  responses: {
    201: json(scheduleDetailSchema, 'The schedule.', {
      ...scheduleEtag,
      location: header('Where the schedule is.'),
    }),
    ...refusals(403, 409, 422),
  },
})
export const show = createRoute({
  method: 'get',
  path,
  summary: 'A schedule',
  request: { params: schedulePath },
  responses: { 200: json(scheduleDetailSchema, 'The schedule.', scheduleEtag) },
})
export const update = createRoute({
  method: 'put',
  path,
  summary: 'Change a schedule: all of it is given anew',
  description: 'Not one of the configuration. Runs that wait are skipped.',
  request: { params: schedulePath, headers: bound, body: jsonBody(scheduleChangeSchema) },
  responses: { 200: shownNow, ...refusals(403, 409, 412, 422) },
})
export const remove = createRoute({
  method: 'delete',
  path,
  summary: 'Remove a schedule; its tasks stay',
  request: { params: schedulePath, headers: bound },
  responses: { 204: empty('It is removed.'), ...refusals(403, 409, 412) },
})
export const run = createRoute({
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
export const occurrences = createRoute({
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

/** Also of one of the configuration. */
export const switching = (name: 'enable' | 'disable', summary: string) =>
  createRoute({
    method: 'post',
    path: `${path}/${name}`,
    summary,
    request: { params: schedulePath, body: jsonBody(nothing, false) },
    responses: { 200: shownNow, ...refusals(403, 409) },
  })
