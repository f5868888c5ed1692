import { randomUUID } from 'node:crypto'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { Guessing } from '../gate/misses.ts'
import { KeyTaken } from '../gate/submissions.ts'
import { Unschedulable } from '../../src/domain/schedule/timing.ts'
import { Failure, type FailureCode, messageOf } from '../../src/domain/failure.ts'

/** Where the closed set of failures becomes HTTP. */
const statusOf = {
  bad_request: 400,
  bad_config: 400,
  unauthorized: 401,
  not_allowed: 403,
  not_found: 404,
  conflict: 409,
  repository: 422,
  too_many: 429,
  data_folder: 500,
  database: 500,
  worktree: 500,
  server: 502,
  engine: 503,
  remote: 503,
  image: 503,
  busy: 503,
  disk: 507,
} as const satisfies Record<FailureCode, ContentfulStatusCode>

/** What HTTP itself can refuse, beside the failures of the domain. */
const protocolStatus = {
  method_not_allowed: 405,
  payload_too_large: 413,
  unsupported_media_type: 415,
  precondition_required: 428,
  bug: 500,
} as const

type ProblemCode = FailureCode | keyof typeof protocolStatus

/** One thing that is wrong with an input; `pointer` is a JSON Pointer into the body, or the parameter's name. */
export interface InputError {
  readonly pointer: string
  readonly detail: string
}

/** An input that does not fit its schema. */
export class BadInput extends Failure {
  readonly errors: readonly InputError[]
  constructor(message: string, errors: readonly InputError[]) {
    super('bad_request', message)
    this.errors = errors
  }
}

/** An act that was bound to a revision which is no longer the task's. */
export class Stale extends Failure {
  constructor(message: string) {
    super('conflict', message)
  }
}

/** A refusal of the protocol: wrong method, wrong media type, too large. */
export class Refusal extends Error {
  readonly code: keyof typeof protocolStatus
  constructor(code: keyof typeof protocolStatus, message: string) {
    super(message)
    this.code = code
  }
}

/** `not_found` -> `Not found`. */
const title = (code: string): string => (code.charAt(0).toUpperCase() + code.slice(1)).replaceAll('_', ' ')

function problem(
  context: Context,
  code: ProblemCode,
  detail: string,
  errors?: readonly InputError[],
  status: ContentfulStatusCode = { ...statusOf, ...protocolStatus }[code],
): Response {
  const body = problemJson(code, status, detail, context.get('requestId'), errors)
  return context.body(body, status, problemHeaders)
}

const problemHeaders = { 'content-type': 'application/problem+json' } as const

function problemJson(
  code: ProblemCode,
  status: number,
  detail: string,
  requestId: string,
  errors?: readonly InputError[],
): string {
  const type = `urn:cofferdam:problem:${code}`
  return JSON.stringify({ type, title: title(code), status, detail, code, requestId, errors })
}

/** The answer to what is HTTP and no request, such as one to a host that none can be. */
export function unreadable(): Response {
  const detail = 'The request cannot be read: its host and path have to be those of an address.'
  const body = problemJson('bad_request', 400, detail, randomUUID())
  return new Response(body, { status: 400, headers: problemHeaders })
}

/** Anything thrown by a route, as problem+json (RFC 9457). What is no expected failure is reported as a bug. */
export function answerError(
  error: unknown,
  context: Context,
  report: (error: unknown, requestId: string) => void,
): Response {
  if (error instanceof BadInput) return problem(context, error.code, error.message, error.errors)
  if (error instanceof Stale) return problem(context, error.code, error.message, undefined, 412)
  if (error instanceof KeyTaken || error instanceof Unschedulable)
    return problem(context, error.code, error.message, undefined, 422)
  if (error instanceof Guessing) context.header('retry-after', String(error.waitSeconds))
  if (error instanceof Failure || error instanceof Refusal) return problem(context, error.code, error.message)
  if (error instanceof HTTPException && error.status === 415)
    return problem(context, 'unsupported_media_type', 'Send the body as application/json.')
  if (error instanceof HTTPException && error.status < 500)
    return problem(context, 'bad_request', 'The body is not JSON.')
  if (isCutOff(error) && context.req.raw.signal.aborted)
    return problem(context, 'bad_request', 'The connection ended before the body was whole.')
  report(error, context.get('requestId'))
  return problem(context, 'bug', `This is a bug in the control plane: ${messageOf(error)}`)
}

/** What node:http says of a body whose sender has gone in the middle of it. */
const isCutOff = (error: unknown): boolean =>
  error instanceof Error && error.message === 'aborted' && 'code' in error && error.code === 'ECONNRESET'
