import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { taskRequestSchema } from '../../src/domain/intake.ts'
import { type Actor, statuses } from '../../src/domain/task.ts'
import type { ControlPlane } from '../../src/domain/control-plane.ts'
import { etag } from './etag.ts'
import { body, idempotencyKey, pathId, query } from './input.ts'

const listQuery = z.strictObject({
  /** Several are separated by commas. */
  status: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(statuses)))
    .optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})
const afterQuery = z.strictObject({ after: z.coerce.number().int().min(0).default(0) })
const egressQuery = z.strictObject({
  /** The name of a box. */
  box: z.string().min(1).exactOptional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(1000),
})
const verifyQuery = z.strictObject({
  /** A public key (SPKI, DER, base64url) to trust in place of the installation's; several are separated by commas. */
  key: z.string().optional(),
})
const stepQuery = z.strictObject({ step: z.coerce.number().int().min(0).optional() })

/** Tasks and what is known about each. */
export function taskRoutes(app: Hono, plane: ControlPlane, actor: (context: Context) => Actor): void {
  app.post('/v1/tasks', async (context) => {
    const request = await body(context, taskRequestSchema)
    const submitted = await plane.submit(request, actor(context), idempotencyKey(context))
    context.header('location', `/v1/tasks/${submitted.task.id}`)
    context.header('etag', etag(submitted.task))
    return context.json(submitted, 201)
  })
  app.get('/v1/tasks', (context) => {
    const { status, limit } = query(context, listQuery)
    return context.json({
      tasks: plane.tasks({ limit, ...(status === undefined ? {} : { statuses: status }) }),
    })
  })
  app.get('/v1/tasks/:id', (context) => {
    const task = plane.task(pathId(context))
    context.header('etag', etag(task))
    return context.json(task)
  })
  app.get('/v1/tasks/:id/events', (context) => {
    const { after } = query(context, afterQuery)
    return context.json({ events: plane.events(pathId(context), after) })
  })
  app.get('/v1/tasks/:id/checkpoints', (context) =>
    context.json({ checkpoints: plane.checkpoints(pathId(context)) }),
  )
  app.get('/v1/tasks/:id/egress', (context) =>
    context.json({ egress: plane.egress(pathId(context), query(context, egressQuery)) }),
  )
  app.get('/v1/tasks/:id/attestations', (context) =>
    context.json({ attestations: plane.attestations(pathId(context)) }),
  )
  app.get('/v1/tasks/:id/verification', async (context) => {
    const { key } = query(context, verifyQuery)
    const keys = key === undefined ? [] : key.split(',').map(pemOf)
    return context.json(await plane.verify(pathId(context), keys))
  })
  app.get('/v1/tasks/:id/diff', async (context) => {
    const { step } = query(context, stepQuery)
    return context.text(await plane.diff(pathId(context), step ?? null))
  })
  app.get('/v1/tasks/:id/logs', async (context) => {
    const { step } = query(context, stepQuery)
    return context.text(await plane.logs(pathId(context), step ?? null))
  })
}

function pemOf(key: string): string {
  const lines =
    Buffer.from(key, 'base64url')
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return ['-----BEGIN PUBLIC KEY-----', ...lines, '-----END PUBLIC KEY-----', ''].join('\n')
}
