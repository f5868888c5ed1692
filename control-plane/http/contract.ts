import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { BlankEnv } from 'hono/types'
import { z } from 'zod'
import { problemSchema } from '../../src/domain/answers.ts'
import type { Caller } from '../../src/domain/caller.ts'
import type { ControlPlane } from '../../src/domain/control-plane.ts'
import { schedulePattern } from '../../src/domain/schedule/schedule.ts'
import { taskIdSchema } from '../../src/domain/schemas.ts'

// The words in which routes are declared. What is declared is checked on the way in, and is the document's text.

export type App = OpenAPIHono<BlankEnv>

/** What a file of routes is given. */
export interface Routes {
  readonly app: App
  readonly plane: ControlPlane
  /** Who is behind a request. */
  readonly caller: (context: Context) => Caller
}

/** A schedule of the path. What cannot be a name is no schedule, and so a 404. */
export const schedulePath = z.object({
  name: z
    .string()
    .regex(schedulePattern, { error: ({ input }) => `There is no schedule ${String(input)}.` })
    .meta({ description: 'The name of a schedule.' }),
})

/** A task of the path. What cannot be an id is no task, and so a 404. */
export const taskPath = z.object({
  id: z
    .custom<z.output<typeof taskIdSchema>>((value) => taskIdSchema.safeParse(value).success, {
      error: ({ input }) => `There is no task ${String(input)}: an id has ten characters of a-z and 2-7.`,
    })
    .register(z.globalRegistry, {
      type: 'string',
      pattern: '^[a-z2-7]{10}$',
      description: 'The id of a task.',
    }),
})

export type Headers = Readonly<Record<string, { description: string; schema: { type: 'string' } }>>

export const header = (description: string) => ({ description, schema: { type: 'string' } }) as const

export const etagHeader = {
  etag: header(
    'The task as it is: `"<revision>.<version>"`. For If-Match the revision counts, which rises with what a person ' +
      'decides on; for If-None-Match both. What a box under way is charged raises neither.',
  ),
} as const

/** An answer in JSON. */
export const json = <Schema extends z.ZodType>(
  schema: Schema,
  description: string,
  headers: Headers = {},
) => ({ description, headers, content: { 'application/json': { schema } } })

/** An answer in plain text. */
export const plainText = (description: string) => ({
  description,
  content: { 'text/plain': { schema: z.string() } },
})

/** An answer without a body. */
export const empty = (description: string, headers: Headers = {}) => ({ description, headers })

/** A body in JSON; where it is not required, none at all is `{}`. */
export const jsonBody = <Schema extends z.ZodType>(schema: Schema, required = true) => ({
  required,
  content: { 'application/json': { schema } },
})

/** Why a request may be refused, by status. */
export const reasons = {
  400: 'The request is not as this document says; `errors` names each place.',
  401: 'There is no token, or it is good no more; only where the API is asked over TCP.',
  403: 'The caller may not do this: by role or scope of the token, by the host that was asked, or as a web page.',
  404: 'There is no such thing.',
  409: 'Not possible in this state; `detail` says what is.',
  412: 'The task has another revision than the one that was shown.',
  413: 'The body is too large.',
  415: 'The body is no JSON.',
  422: 'It is understood and cannot be done: `detail` says why.',
  429: 'Too many requests in a minute, which is counted over TCP alone, or too many buttons that are none; `Retry-After` says when.',
  428: 'A decision has to say what was decided on: send If-Match.',
  500: 'The data folder or the control plane is broken.',
  503: 'The engine, the database or Discord cannot be reached at the moment, or the disk is full.',
  507: 'The disk is full.',
} as const
export type RefusalStatus = keyof typeof reasons

export const refusal = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: problemSchema } },
})

/**
 * The refusals of a route besides those that every route has. They are thrown and answered in one place, so the type of
 * a handler has the other answers alone.
 */
export function refusals(...statuses: readonly RefusalStatus[]): object {
  return Object.fromEntries(statuses.map((status) => [status, refusal(reasons[status])]))
}
