import type { Context, Hono } from 'hono'
import { z } from 'zod'
import type { Actor } from '../../src/domain/task.ts'
import type { Act, ControlPlane } from '../control-plane.ts'
import { body, pathId } from './input.ts'

const nothing = z.strictObject({})
const words = z.string().trim().min(1, 'say something').max(20_000)
const maybeText = z.strictObject({ text: words.nullable().default(null) })
const text = z.strictObject({ text: words })
const resume = z.strictObject({
  instruction: words.nullable().default(null),
  /** What is not named stays as it is. */
  budget: z
    .strictObject({ steps: z.int().positive().exactOptional(), seconds: z.int().positive().exactOptional() })
    .nullable()
    .default(null),
})

/** What a person can do with a task, each as a sub-resource. The answer is the task as it is afterwards. */
export function actRoutes(app: Hono, plane: ControlPlane, actor: (context: Context) => Actor): void {
  const route = <Schema extends z.ZodType>(
    name: Act['act'],
    schema: Schema,
    act: (input: z.output<Schema>) => Act,
  ): void => {
    app.post(`/v1/tasks/:id/${name}`, async (context) => {
      const input = await body(context, schema)
      return context.json(await plane.act(pathId(context), act(input), actor(context)))
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

  // Not an act of a person: a client says that it waits for this task.
  app.post('/v1/tasks/:id/attend', (context) => {
    plane.attend(pathId(context))
    return context.body(null, 204)
  })
}
