import type { Hono } from 'hono'
import { z } from 'zod'
import type { ControlPlane } from '../../src/domain/control-plane.ts'
import { pathId, query } from './input.ts'
import { eventStream, type StreamLimits } from './sse.ts'

const streamQuery = z.strictObject({ after: z.coerce.number().int().min(0).default(0) })
const seq = z.coerce.number().int().min(0)

/** A task's events from the first (or after `Last-Event-ID`, or `?after=`), then live, with the output of its boxes. */
export function streamRoute(app: Hono, plane: ControlPlane, limits: StreamLimits): void {
  app.get('/v1/tasks/:id/stream', (context) => {
    const id = pathId(context)
    plane.task(id) // an unknown task is a plain 404, not a stream that ends
    const last = seq.safeParse(context.req.header('last-event-id') || undefined)
    const after = last.success ? last.data : query(context, streamQuery).after
    return context.body(
      eventStream((signal) => plane.watch(id, after, signal), limits),
      {
        headers: {
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
        },
      },
    )
  })
}
