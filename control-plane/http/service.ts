import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import { json, type Routes } from './contract.ts'

const health = createRoute({
  method: 'get',
  path: '/healthz',
  summary: 'Whether the process answers',
  responses: { 200: json(z.object({ status: z.literal('ok') }), 'It does.') },
})

/** The service itself. */
export function serviceRoutes({ app }: Routes): void {
  app.openapi(health, (context) => context.json({ status: 'ok' as const }, 200))
}
