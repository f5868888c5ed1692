import { createRoute } from '@hono/zod-openapi'
import { healthSchema } from '../../src/domain/answers.ts'
import { json, plainText, type Routes } from './contract.ts'

const health = createRoute({
  method: 'get',
  path: '/healthz',
  summary: 'Whether the process answers',
  responses: { 200: json(healthSchema, 'It does.') },
})
const ready = createRoute({
  method: 'get',
  path: '/readyz',
  summary: 'Whether tasks can be taken and worked on',
  description:
    'The database can be written, the engine answers, the disk has room, and Discord, where it is configured, is ' +
    'connected or has not been away for long; else a 503 says what is missing.',
  responses: { 200: json(healthSchema, 'They can.') },
})
const metrics = createRoute({
  method: 'get',
  path: '/metrics',
  summary: 'Numbers about tasks and requests, for Prometheus',
  responses: { 200: plainText('In the text format of Prometheus.') },
})

const ok = { status: 'ok', service: 'cofferdam' } as const

/** The service itself. */
export function serviceRoutes({ app, plane }: Routes, numbers: () => Promise<string>): void {
  app.openapi(health, (context) => context.json(ok, 200))
  app.openapi(ready, async (context) => {
    await plane.ready()
    return context.json(ok, 200)
  })
  app.openapi(metrics, async (context) => context.text(await numbers(), 200))
}
