import type { Context, Hono } from 'hono'
import { z } from 'zod'
import type { Actor } from '../../src/domain/task.ts'
import type { Act, ControlPlane } from '../../src/domain/control-plane.ts'
import { Failure } from '../../src/domain/failure.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import { etag } from './etag.ts'
import { body, pathId, shownRevision } from './input.ts'
import { Stale } from './problem.ts'

const nothing = z.strictObject({})
const words = z.string().trim().min(1, 'say something').max(20_000)
const maybeText = z.strictObject({ text: words.nullable().default(null) })
const text = z.strictObject({ text: words })
const resume = z.strictObject({
  instruction: words.nullable().default(null),
  /** What is not named stays as it is. */
  budget: z
    .strictObject({
      steps: z.int().positive().exactOptional(),
      seconds: z.int().positive().exactOptional(),
      tokens: z.int().positive().nullable().exactOptional(),
      costUsd: z.number().positive().nullable().exactOptional(),
    })
    .nullable()
    .default(null),
})

/**
 * What a person can do with a task, each as a sub-resource. The answer is the task as it is afterwards. `If-Match` binds
 * the act to the revision that was shown.
 */
export function actRoutes(app: Hono, plane: ControlPlane, actor: (context: Context) => Actor): void {
  const route = <Schema extends z.ZodType>(
    name: Act['act'],
    schema: Schema,
    act: (input: z.output<Schema>) => Act,
  ): void => {
    app.post(`/v1/tasks/:id/${name}`, async (context) => {
      const wanted = act(await body(context, schema))
      const [id, shown] = [pathId(context), shownRevision(context)]
      const task = await plane.act(id, wanted, actor(context), shown).catch((error: unknown) => {
        throw isStale(error, plane, id, shown) ? new Stale(error.message) : error
      })
      context.header('etag', etag(task))
      return context.json(task)
    })
  }
  route('approve', nothing, () => ({ act: 'approve' }))
  route('pause', nothing, () => ({ act: 'pause' }))
  route('discard', nothing, () => ({ act: 'discard' }))
  route('reject', maybeText, (input) => ({ act: 'reject', ...input }))
  route('stop', maybeText, (input) => ({ act: 'stop', ...input }))
  route('suggest', text, (input) => ({ act: 'suggest', ...input }))
  route('steer', text, (input) => ({ act: 'steer', ...input }))
  route('resume', resume, (input) => ({ act: 'resume', ...input }))

  // Not an act of a person: a client wants this task worked on from now on.
  app.post('/v1/tasks/:id/attend', (context) => {
    plane.attend(pathId(context))
    return context.body(null, 204)
  })
}

function isStale(error: unknown, plane: ControlPlane, id: TaskId, shown: number | null): error is Failure {
  if (!(error instanceof Failure) || error.code !== 'conflict') return false
  return shown !== null && plane.task(id).revision !== shown
}
