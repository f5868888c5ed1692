import type { Context } from 'hono'
import { z } from 'zod'
import { Failure } from '../../src/domain/failure.ts'
import { wellFormed } from '../../src/domain/intake.ts'
import { repositoryPlace } from '../../src/domain/remote.ts'
import { statuses } from '../../src/domain/task.ts'
import { keyDays } from '../gate/submissions.ts'
import { BadInput, type InputError } from './problem.ts'

/** What a request was checked for, and came to. */
interface Checked {
  readonly target: string
  readonly success: boolean
  readonly error?: z.ZodError
}

const names: Readonly<Record<string, string>> = {
  json: 'The body',
  query: 'The query',
  header: 'The headers',
}

/** The hook of every route: an input that does not fit its schema is refused, each thing that is wrong by its place. */
export function refuseInput({ target, error }: Checked): undefined {
  if (error === undefined) return
  // A part of the path that is none is no address of anything.
  if (target === 'param') throw new Failure('not_found', error.issues.map(({ message }) => message).join(' '))
  const errors = error.issues.map((issue) => ({
    pointer: issue.path.map((part) => `/${String(part)}`).join(''),
    detail: issue.message,
  }))
  const what = names[target] ?? 'The request'
  throw new BadInput(errors.map((each) => sentenceOf(each, what)).join(' '), errors)
}

/** Messages that are sentences already stand alone; zod's own are given the place they are about. */
function sentenceOf({ pointer, detail }: InputError, what: string): string {
  return detail.endsWith('.') ? detail : `${pointer === '' ? what : pointer}: ${detail}.`
}

/** States as a query names them; several are separated by commas. */
export const statusList = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(statuses)).min(1))

const day = String.raw`(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])`
const clock = String.raw`([01]\d|2[0-3]):[0-5]\d`

/** A time as a query names it; milliseconds since 1970 where it is read. */
export const time = z
  .string()
  .transform((text) => (/^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text)))
  .refine(Number.isFinite, 'takes a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970')
  .exactOptional()
  .meta({
    type: 'string',
    description: 'A time such as 2026-01-31T12:00:00Z, or milliseconds since 1970.',
    pattern: `^(\\d{1,15}|\\d{4}-${day}T${clock}(:[0-5]\\d(\\.\\d{1,9})?)?(Z|[+-]${clock}))$`,
    examples: ['2026-01-31T12:00:00Z'],
  })

/** What a person says. */
export const words = z.string().trim().regex(/\S/, 'say something').max(20_000).overwrite(wellFormed)

/** What names a repository. */
export const repositoryFilter = z
  .string()
  .regex(repositoryPlace, 'takes an absolute path, or the name of a repository')

/** A whole number of the query. @param what it is, for who wrote something else */
const whole = (least: number, most: number, what: string) =>
  z.coerce.number(what).int(what).min(least, what).max(most, what)

/** The same, with what it is where it is not named. */
export const count = (least: number, most: number, usual: number) =>
  whole(least, most, `takes a whole number from ${least} to ${most}`).default(usual)

/** A step, as a query names it. */
export const step = whole(0, Number.MAX_SAFE_INTEGER, 'takes the number of a step, such as 1')

/** Binds an act to what was shown. */
export const ifMatch = z
  .string()
  .regex(/^(\*|"\d{1,15}(\.\d{1,15})?")$/, {
    error: 'If-Match takes the ETag of the task as it was shown, such as "3.17", or * for whatever it is.',
  })
  .exactOptional()
  .meta({
    description: 'The ETag of the task as it was shown; its revision counts. `*` binds to none.',
  })

/** Binds a change of a schedule to what was shown. */
export const ifScheduleMatch = z
  .string()
  .regex(/^(\*|"\d{1,15}")$/, {
    error: 'If-Match takes the ETag of the schedule as it was shown, such as "3", or * for whatever it is.',
  })
  .exactOptional()
  .meta({ description: 'The ETag of the schedule as it was shown. `*` binds to none.' })

/** The revision that `If-Match` names; null where it binds to none. */
export function shownRevision(header: string | undefined): number | null {
  const revision = /"(\d+)/.exec(header ?? '')?.[1]
  return revision === undefined ? null : Number(revision)
}

/** Names a submission that may be sent again. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, {
    error: 'Idempotency-Key takes 1 to 200 printable ASCII characters without spaces, such as a UUID.',
  })
  .exactOptional()
  .meta({
    description:
      `Names this submission for its caller, for ${keyDays} days: sent again it is answered as before and makes no second task. ` +
      'With another request it is a 422, while the first is under way a 409.',
  })

/** A POST without a body is one of `{}`. */
export async function bodiless({ req }: Context, next: () => Promise<void>): Promise<void> {
  if (['POST', 'PUT', 'PATCH'].includes(req.method) && (await req.text()) === '') {
    const headers = new Headers(req.raw.headers)
    headers.set('content-type', 'application/json')
    headers.delete('content-length')
    req.raw = new Request(req.url, { method: req.method, headers, body: '{}' })
    req.bodyCache = {}
  }
  await next()
}
