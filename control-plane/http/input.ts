import type { Context } from 'hono'
import { z } from 'zod'
import { Failure } from '../../src/domain/failure.ts'
import { parseTaskId, type TaskId } from '../../src/domain/ids.ts'
import { statuses } from '../../src/domain/task.ts'
import { BadInput, type InputError, Refusal } from './problem.ts'

/** The JSON body, parsed by `schema`; no body at all is read as `{}`. */
export async function body<Schema extends z.ZodType>(
  context: Context,
  schema: Schema,
): Promise<z.output<Schema>> {
  const text = await context.req.text()
  if (text === '') return parse(schema, {}, 'The body')
  const type = context.req.header('content-type') ?? ''
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new Refusal('unsupported_media_type', 'Send the body as application/json.')
  }
  return parse(schema, json(text), 'The body')
}

/** The query parameters, parsed by `schema`. */
export function query<Schema extends z.ZodType>(context: Context, schema: Schema): z.output<Schema> {
  return parse(schema, context.req.query(), 'The query')
}

/** States as a query names them; several are separated by commas. */
export const statusList = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(statuses)))

/** The task id of the path. */
export function pathId(context: Context): TaskId {
  const text = context.req.param('id') ?? ''
  const id = parseTaskId(text)
  if (id === null)
    throw new Failure('not_found', `There is no task ${text}: an id has ten characters of a-z and 2-7.`)
  return id
}

/** The revision that the caller was shown, from `If-Match: "<revision>"`; null where it does not bind itself. */
export function shownRevision(context: Context): number | null {
  const text = context.req.header('if-match')?.trim()
  if (text === undefined || text === '*') return null
  const revision = /^"(\d{1,15})"$/.exec(text)?.[1]
  if (revision !== undefined) return Number(revision)
  throw new Failure('bad_request', 'If-Match takes the ETag of the task as it was shown, such as "3".')
}

/** Names a submission that may be sent again; null where the caller gives no `Idempotency-Key`. */
export function idempotencyKey(context: Context): string | null {
  const key = context.req.header('idempotency-key')
  if (key === undefined || /^[\x21-\x7e]{1,200}$/.test(key)) return key ?? null
  throw new Failure(
    'bad_request',
    'Idempotency-Key takes 1 to 200 printable ASCII characters without spaces, such as a UUID.',
  )
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Failure('bad_request', 'The body is not JSON.')
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const errors = result.error.issues.map((issue) => ({
    pointer: issue.path.map((part) => `/${String(part)}`).join(''),
    detail: issue.message,
  }))
  throw new BadInput(errors.map((error) => sentenceOf(error, what)).join(' '), errors)
}

/** Messages that are sentences already stand alone; zod's own are given the place they are about. */
function sentenceOf({ pointer, detail }: InputError, what: string): string {
  return detail.endsWith('.') ? detail : `${pointer === '' ? what : pointer}: ${detail}.`
}
