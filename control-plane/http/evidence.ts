import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import {
  attestationsSchema,
  checkpointsSchema,
  egressLogSchema,
  verificationSchema,
} from '../../src/domain/answers.ts'
import { json, plainText, refusals, type Routes, taskPath } from './contract.ts'
import { count, step } from './input.ts'

const egressQuery = z.strictObject({
  box: z.string().min(1).exactOptional().meta({ description: 'The name of a box.' }),
  limit: count(1, 10_000, 1000),
})
const verifyQuery = z.strictObject({
  key: z.string().exactOptional().meta({
    description:
      "Public keys (SPKI, DER, base64url) to trust in place of the installation's, separated by commas.",
  }),
})
const stepQuery = z.strictObject({ step: step.exactOptional() })

const diffQuery = z.strictObject({
  step: step.exactOptional(),
  against: z
    .string()
    .min(1)
    .max(200)
    .exactOptional()
    .meta({ description: 'A branch of the repository: what a merge would change in it as it is now.' }),
})

const logsQuery = stepQuery.extend({
  last: count(1, 1e9, 1e9).meta({ description: 'At most so many characters of its end.' }),
})

const checkpoints = createRoute({
  method: 'get',
  path: '/v1/tasks/{id}/checkpoints',
  summary: 'What each try at a step left',
  request: { params: taskPath },
  responses: { 200: json(checkpointsSchema, 'In order of step and attempt.') },
})
const egress = createRoute({
  method: 'get',
  path: '/v1/tasks/{id}/egress',
  summary: 'What the boxes of a task asked of the gateway',
  request: { params: taskPath, query: egressQuery },
  responses: { 200: json(egressLogSchema, 'The newest, oldest first.') },
})
const attestations = createRoute({
  method: 'get',
  path: '/v1/tasks/{id}/attestations',
  summary: 'The signed chain of what was enforced',
  request: { params: taskPath },
  responses: { 200: json(attestationsSchema, 'In order of `seq`.') },
})
const verification = createRoute({
  method: 'get',
  path: '/v1/tasks/{id}/verification',
  summary: 'Hold all that is on record about a task against its attestations',
  request: { params: taskPath, query: verifyQuery },
  responses: { 200: json(verificationSchema, 'What was found.'), ...refusals(409, 422) },
})
const diff = createRoute({
  method: 'get',
  path: '/v1/tasks/{id}/diff',
  summary:
    "The task's work, that of one step, or what a merge would change in a branch now, as a unified diff",
  request: { params: taskPath, query: diffQuery },
  responses: { 200: plainText('Empty where there is none.'), ...refusals(409, 422) },
})
const logs = createRoute({
  method: 'get',
  path: '/v1/tasks/{id}/logs',
  summary: 'What the boxes of a task, or of one step, printed',
  request: { params: taskPath, query: logsQuery },
  responses: { 200: plainText('Oldest first, with a heading for each box; of too much the newest 16 MiB.') },
})

/** What a task left behind. */
export function evidenceRoutes({ app, plane }: Routes): void {
  app.openapi(checkpoints, (context) => {
    const { id } = context.req.valid('param')
    return context.json({ checkpoints: [...plane.checkpoints(id)] }, 200)
  })
  app.openapi(egress, (context) => {
    const { id } = context.req.valid('param')
    return context.json({ egress: [...plane.egress(id, context.req.valid('query'))] }, 200)
  })
  app.openapi(attestations, (context) => {
    const { id } = context.req.valid('param')
    return context.json({ attestations: [...plane.attestations(id)] }, 200)
  })
  app.openapi(verification, async (context) => {
    const { key } = context.req.valid('query')
    const keys = key === undefined ? [] : key.split(',').map(pemOf)
    return context.json(await plane.verify(context.req.valid('param').id, keys), 200)
  })
  app.openapi(diff, async (context) => {
    const { step = null, against = null } = context.req.valid('query')
    return context.text(await plane.diff(context.req.valid('param').id, step, against), 200)
  })
  app.openapi(logs, async (context) => {
    const { step = null, last } = context.req.valid('query')
    return context.text((await plane.logs(context.req.valid('param').id, step)).slice(-last), 200)
  })
}

function pemOf(key: string): string {
  const lines =
    Buffer.from(key, 'base64url')
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return ['-----BEGIN PUBLIC KEY-----', ...lines, '-----END PUBLIC KEY-----', ''].join('\n')
}
