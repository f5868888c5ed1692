import type { Hono } from 'hono'
import { taskRequestSchema } from '../../src/domain/intake.ts'
import type { ControlPlane } from '../../src/domain/control-plane.ts'
import { body } from './input.ts'

/** What would happen, whether it could, and by which key it would be attested. */
export function insightRoutes(app: Hono, plane: ControlPlane): void {
  app.post('/v1/explain', async (context) =>
    context.json(await plane.explain(await body(context, taskRequestSchema))),
  )
  app.get('/v1/attestation-key', (context) => context.json(plane.attestationKey()))
  app.get('/v1/doctor', async (context) => context.json({ findings: await plane.doctor() }))
}
