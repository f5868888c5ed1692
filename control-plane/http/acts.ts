import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { actsSchema, reviewedSchema } from '../../src/domain/answers.ts'
import type { Act, ControlPlane } from '../../src/domain/control-plane.ts'
import {
  branchPattern,
  branchProblem,
  longestBranch,
  mergeWays,
  tooLongBranch,
} from '../../src/domain/delivery/merge.ts'
import { pullEnds } from '../../src/domain/delivery/pull.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { acceptRules } from '../../src/domain/marks/mark.ts'
import { reviewRequestSchema } from '../../src/domain/review/review.ts'
import { actsOf } from '../../src/domain/rights.ts'
import { taskSchema } from '../../src/domain/schemas.ts'
import { empty, etagHeader, json, jsonBody, refusals, type Routes, taskPath } from './contract.ts'
import { etag } from './etag.ts'
import { ifMatch, shownRevision, words } from './input.ts'
import { Refusal, Stale } from './problem.ts'

const nothing = z.strictObject({})
const maybeText = z.strictObject({ text: words.nullable().default(null) })
const text = z.strictObject({ text: words })
const resume = z.strictObject({
  instruction: words.nullable().default(null),
  budget: z
    .strictObject({
      steps: z.int().positive().exactOptional(),
      seconds: z.int().positive().exactOptional(),
      tokens: z.int().positive().nullable().exactOptional(),
      costUsd: z.number().positive().nullable().exactOptional(),
    })
    .nullable()
    .default(null)
    .meta({ description: 'What is not named stays as it is.' }),
})
/** The document shows what a name has to look like. */
const branch = z
  .string()
  .max(longestBranch, `The name of the branch ${tooLongBranch}.`)
  .regex(branchPattern, { error: ({ input }) => branchProblem(String(input)) ?? undefined })
const merge = z.strictObject({
  into: branch
    .nullable()
    .default(null)
    .meta({ description: 'The branch; else the configured one, or the one that the task began from.' }),
  how: z.enum(mergeWays).nullable().default(null).meta({ description: 'Else as configured, or `merge`.' }),
  accept: z.array(z.enum(acceptRules)).default([]).meta({
    description:
      'The rules of the task’s marks: each of them has to be named by an owner. `foreign`: others’ commits may go with it.',
  }),
})

const pull = z.strictObject({
  into: branch
    .nullable()
    .default(null)
    .meta({ description: 'The branch there; else the configured one, or the one that the task began from.' }),
  draft: z.boolean().nullable().default(null).meta({ description: 'Else as configured, or `true`.' }),
  accept: merge.shape.accept,
})

const ended = z.strictObject({ as: z.enum(pullEnds) })

/** Decided on what was shown, so that it has to say which. */
const decisions: ReadonlySet<Act['act']> = new Set<Act['act']>([
  'approve',
  'reject',
  'suggest',
  'merge',
  'pull-request',
  'undo',
  'pull-ended',
  'discard',
])

/**
 * What a person can do with a task, each as a sub-resource. The answer is the task as it is afterwards. `If-Match` binds
 * the act to the revision that was shown.
 */
export function actRoutes({ app, plane, caller }: Routes): void {
  const route = <Schema extends z.ZodType>(
    name: Act['act'],
    summary: string,
    schema: Schema,
    act: (input: z.output<Schema>) => Act,
  ): void => {
    const decides = decisions.has(name)
    const declared = createRoute({
      method: 'post',
      path: `/v1/tasks/{id}/${name}`,
      summary,
      request: {
        params: taskPath,
        headers: z.object({ 'if-match': ifMatch }),
        body: jsonBody(schema, !schema.safeParse({}).success),
      },
      responses: {
        200: json(taskSchema, 'The task as it is now.', etagHeader),
        ...refusals(403, 409, 412, 422, ...(decides ? ([428] as const) : [])),
      },
    })
    app.openapi(declared, async (context) => {
      // Both have been checked; the types of a route that is made here do not say so.
      const wanted = act(schema.parse(await context.req.json()))
      const { id } = taskPath.parse(context.req.param())
      const binding = context.req.header('if-match')
      const task = plane.task(id)
      if (decides && binding === undefined) {
        const shown = `If-Match: ${etag(task)} for the task as it is now, or If-Match: * for whatever it is`
        throw new Refusal('precondition_required', `Say what you decide on: ${shown}.`)
      }
      const shown = shownRevision(binding)
      const done = await plane.act(id, wanted, caller(context), shown).catch((error: unknown) => {
        throw isStale(error, plane, id, shown) ? new Stale(error.message) : error
      })
      context.header('etag', etag(done))
      return context.json(done, 200)
    })
  }
  route('approve', 'Let a draft run', nothing, () => ({ act: 'approve' }))
  route('pause', 'Halt a task for a while', nothing, () => ({ act: 'pause' }))
  route('discard', 'Throw the work of a task away', nothing, () => ({ act: 'discard' }))
  route(
    'merge',
    'Merge the work into a branch of its repository, once what comes of it was tested',
    merge,
    (input) => ({
      act: 'merge',
      ...input,
    }),
  )
  route(
    'pull-request',
    'Push the work, and propose it as a pull request on the forge that is configured',
    pull,
    (input) => ({ act: 'pull-request', ...input }),
  )
  route('undo', 'Put the branch back to where it was before the merge', nothing, () => ({ act: 'undo' }))
  route(
    'pull-ended',
    'Say that an open pull request was merged or closed there, in the place of its forge',
    ended,
    (input) => ({ act: 'pull-ended', ...input }),
  )
  route('reject', 'Refuse a draft, or give a blocked task up', maybeText, (input) => ({
    act: 'reject',
    ...input,
  }))
  route('stop', 'Stop a task', maybeText, (input) => ({ act: 'stop', ...input }))
  route('suggest', 'Change a draft in words, or resume a task with them', text, (input) => ({
    act: 'suggest',
    ...input,
  }))
  route('steer', 'Tell the agent something at its next step', text, (input) => ({ act: 'steer', ...input }))
  route('resume', 'Go on with a halted task', resume, (input) => ({ act: 'resume', ...input }))

  app.openapi(reviews, async (context) => {
    const { id } = context.req.valid('param')
    const shown = shownRevision(context.req.valid('header')['if-match'])
    const request = context.req.valid('json')
    const reviewed = await plane.review(id, request, caller(context), shown).catch((error: unknown) => {
      throw isStale(error, plane, id, shown) ? new Stale(error.message) : error
    })
    context.header('etag', etag(reviewed.task))
    return context.json(reviewed, 200)
  })

  app.openapi(withdrawal, (context) => {
    const { id, review } = context.req.valid('param')
    const task = plane.withdraw(id, Number(review), caller(context))
    context.header('etag', etag(task))
    return context.json(task, 200)
  })

  app.openapi(possible, (context) => {
    const task = plane.task(context.req.valid('param').id)
    context.header('etag', etag(task))
    return context.json({ acts: [...actsOf(caller(context), task)] }, 200)
  })

  // Not an act of a person: a client wants this task worked on from now on.
  app.openapi(attend, (context) => {
    plane.attend(context.req.valid('param').id)
    return context.body(null, 204)
  })
}

const reviews = createRoute({
  method: 'post',
  path: '/v1/tasks/{id}/reviews',
  summary: 'Say something about the work of an applied task, and have another task change it',
  description:
    'What is said stays on record. With `requestChanges` all that was said so far becomes the goal of a task that begins at ' +
    'this work; the reviewed task is superseded by it.',
  request: {
    params: taskPath,
    headers: z.object({ 'if-match': ifMatch }),
    body: jsonBody(reviewRequestSchema),
  },
  responses: {
    200: json(
      reviewedSchema,
      'The task, and the one that makes the changes, where they were asked for.',
      etagHeader,
    ),
    ...refusals(403, 409, 412, 422),
  },
})

const withdrawal = createRoute({
  method: 'delete',
  path: '/v1/tasks/{id}/reviews/{review}',
  summary: 'Withdraw what was said in a review, before a task is made for it',
  description: 'By who said it, or by an owner. Its event stays, and another one says that it is withdrawn.',
  request: {
    params: taskPath.extend({
      review: z
        .string()
        .regex(/^[1-9]\d{0,8}$/, { error: ({ input }) => `There is no review ${String(input)}.` })
        .meta({ description: 'The `seq` of its event.' }),
    }),
  },
  responses: { 200: json(taskSchema, 'The task as it is now.', etagHeader), ...refusals(403, 404, 409) },
})

const possible = createRoute({
  method: 'get',
  path: '/v1/tasks/{id}/acts',
  summary: 'What you can do with a task as it is now',
  description: 'For whoever shows buttons: each call is judged anew.',
  request: { params: taskPath },
  responses: { 200: json(actsSchema, 'The names of their routes.', etagHeader) },
})

const attend = createRoute({
  method: 'post',
  path: '/v1/tasks/{id}/attend',
  summary: 'Work on this task too, where this process works only on what it is asked to',
  request: { params: taskPath },
  responses: { 204: empty('It will be.') },
})

function isStale(error: unknown, plane: ControlPlane, id: TaskId, shown: number | null): error is Failure {
  if (!(error instanceof Failure) || error.code !== 'conflict') return false
  return shown !== null && plane.task(id).revision !== shown
}
