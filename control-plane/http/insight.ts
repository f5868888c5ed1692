import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { attestationKeySchema, doctorSchema, explanationSchema } from '../../src/domain/answers.ts'
import { doctorScopes } from '../../src/domain/control-plane.ts'
import { taskRequestSchema } from '../../src/domain/intake.ts'
import { json, jsonBody, refusals, type Routes } from './contract.ts'

const explain = createRoute({
  method: 'post',
  path: '/v1/explain',
  summary: 'What a task would get: policy, boxes, risks; nothing is run',
  request: { body: jsonBody(taskRequestSchema) },
  responses: { 200: json(explanationSchema, 'What it would get.'), ...refusals(403, 422) },
})
const key = createRoute({
  method: 'get',
  path: '/v1/attestation-key',
  summary: 'The public key of the attestations',
  responses: { 200: json(attestationKeySchema, 'The key.'), ...refusals(404, 409) },
})
const doctor = createRoute({
  method: 'get',
  path: '/v1/doctor',
  summary: 'What is in the way of tasks, and what to do',
  description:
    'It is looked anew for owners. Others are told what was found in the last minute. There is one look at a time: who asks ' +
    'while it goes on is told what that finds.',
  request: { query: z.strictObject({ of: z.enum(doctorScopes).default('all') }) },
  responses: { 200: json(doctorSchema, 'What was found.') },
})

/** What would happen, whether it could, and by which key it would be attested. */
export function insightRoutes({ app, plane, caller }: Routes): void {
  app.openapi(explain, async (context) =>
    context.json(await plane.explain(context.req.valid('json'), caller(context)), 200),
  )
  app.openapi(key, (context) => context.json(plane.attestationKey(), 200))
  app.openapi(doctor, async (context) => {
    const findings = await plane.doctor(context.req.valid('query').of, caller(context))
    return context.json({ findings: [...findings] }, 200)
  })
}
