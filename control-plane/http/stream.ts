import { createRoute } from '@hono/zod-openapi'
import { z } from 'zod'
import type { Caller } from '../../src/domain/caller.ts'
import type { Sight } from '../../src/domain/control-plane.ts'
import { Failure } from '../../src/domain/failure.ts'
import { isSettled, type Task } from '../../src/domain/task.ts'
import { empty, type Routes, taskPath } from './contract.ts'
import { count } from './input.ts'
import { eventStream, sightFrame, streamHeaders, type StreamLimits } from './sse.ts'
import { taskJson } from './task-json.ts'

const stream = createRoute({
  method: 'get',
  path: '/v1/tasks/{id}/stream',
  summary: 'What happens on a task, as server-sent events',
  description:
    'The events after `Last-Event-ID` (or `after`; from the first without either), then live, with the output of its ' +
    'boxes. `event: event` has its `seq` as id, and as data `{event, task}`; `event: output` has no id, is not ' +
    'repeated, and has `{step, box, text}`; `event: beat` has no id, and comes where nothing else has for `everyMs` of its ' +
    'data: who hears nothing for much longer has lost the connection. The stream of a task that is final ends with its last event. A reader that ' +
    'takes nothing for half a minute is dropped, and comes back with `Last-Event-ID`. It ends where the token or session ' +
    'that it began with is good no more.',
  request: {
    params: taskPath,
    query: z.strictObject({ after: count(0, Number.MAX_SAFE_INTEGER, 0) }),
    headers: z.object({
      'last-event-id': z
        .string()
        .exactOptional()
        .meta({ description: 'The last `seq` that was seen; what is none does not count.' }),
    }),
  },
  responses: {
    200: {
      description: 'The stream.',
      content: { 'text/event-stream': { schema: z.string() } },
    },
    204: empty('The task is final, and all of it was seen: there is nothing to come back for.'),
  },
})

const changes = createRoute({
  method: 'get',
  path: '/v1/changes',
  summary: 'Tasks as they change from now on, as server-sent events',
  description:
    '`event: task` has the task as its data. Nothing is repeated: who comes back reads the lists again. To a reader that ' +
    'is slower than a task, the last of its states is told. `event: beat` comes where nothing else has for `everyMs` of its ' +
    'data. It ends with its token or session.',
  responses: {
    200: {
      description: 'The stream.',
      content: { 'text/event-stream': { schema: z.string() } },
    },
  },
})

const seq = z.coerce.number().int().min(0)

/** Of one token, so that none takes all connections of the server for itself (tcp.ts). */
const mostStreams = 1000

export function streamRoutes({ app, plane }: Routes, limits: StreamLimits): void {
  const open = new Map<string, number>()
  /** Counts what is watched as long as it is. */
  const counted = <T>({ actor }: Caller, watch: (signal: AbortSignal) => AsyncIterable<T>) => {
    const before = open.get(actor.id) ?? 0
    if (before >= mostStreams)
      throw new Failure('too_many', `This token has ${mostStreams} streams open: close some, then try again.`)
    return (signal: AbortSignal): AsyncIterable<T> => {
      const watched = watch(signal)
      open.set(actor.id, before + 1)
      signal.addEventListener('abort', () => {
        const left = (open.get(actor.id) ?? 1) - 1
        if (left === 0) open.delete(actor.id)
        else open.set(actor.id, left)
      })
      return watched
    }
  }
  app.openapi(stream, (context) => {
    const { id } = context.req.valid('param')
    const task = plane.task(id) // an unknown task is a plain 404, not a stream that ends
    const last = seq.safeParse(context.req.valid('header')['last-event-id'] || undefined)
    const after = last.success ? last.data : context.req.valid('query').after
    if (isOver(task, after)) return context.body(null, 204)
    if (context.req.method === 'HEAD') return context.body(null, 200, streamHeaders)
    const sights = counted(context.get('caller'), (signal) => untilOver(plane.watch(id, after, signal)))
    return context.body(eventStream(sights, sightFrame, limits, context.get('isIn')), {
      headers: streamHeaders,
    })
  })
  app.openapi(changes, (context) => {
    // Nobody would read what it subscribes to, nor end it.
    if (context.req.method === 'HEAD') return context.body(null, 200, streamHeaders)
    const tasks = counted(context.get('caller'), (signal) => plane.changes(signal))
    return context.body(eventStream(tasks, taskFrame, limits, context.get('isIn')), {
      headers: streamHeaders,
    })
  })
}

const taskFrame = (task: Task): string => `event: task\ndata: ${taskJson(task).toString()}\n\n`

/** A final task of which the event `seq`, which is its last, was seen. */
function isOver(task: Task, seq: number): boolean {
  const final = task.status === 'APPLIED' || task.status === 'REJECTED'
  return final && isSettled(task) && seq >= task.version
}

async function* untilOver(sights: AsyncIterable<Sight>): AsyncGenerator<Sight> {
  for await (const sight of sights) {
    yield sight
    if (sight.kind === 'event' && isOver(sight.task, sight.event.seq)) return
  }
}
