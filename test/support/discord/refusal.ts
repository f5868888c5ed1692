import type { z } from 'zod'

/** An error as Discord's REST interface words it. */
export class Refusal extends Error {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  constructor(status: number, code: number, message: string, more: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.status = status
    this.body = { message, code, ...more }
  }
}

export const unauthorized = (): Refusal => new Refusal(401, 0, '401: Unauthorized')
export const unknownRoute = (): Refusal => new Refusal(404, 0, '404: Not Found')
export const unknownChannel = (): Refusal => new Refusal(404, 10003, 'Unknown Channel')
export const unknownGuild = (): Refusal => new Refusal(404, 10004, 'Unknown Guild')
export const unknownMember = (): Refusal => new Refusal(404, 10007, 'Unknown Member')
export const unknownMessage = (): Refusal => new Refusal(404, 10008, 'Unknown Message')
export const unknownUser = (): Refusal => new Refusal(404, 10013, 'Unknown User')
export const unknownEmoji = (): Refusal => new Refusal(404, 10014, 'Unknown Emoji')
export const unknownWebhook = (): Refusal => new Refusal(404, 10015, 'Unknown Webhook')
export const unknownInteraction = (): Refusal => new Refusal(404, 10062, 'Unknown interaction')
export const alreadyAcknowledged = (): Refusal =>
  new Refusal(400, 40060, 'Interaction has already been acknowledged.')
export const missingAccess = (): Refusal => new Refusal(403, 50001, 'Missing Access')
export const notTheAuthor = (): Refusal =>
  new Refusal(403, 50005, 'Cannot edit a message authored by another user')
export const emptyMessage = (): Refusal => new Refusal(400, 50006, 'Cannot send an empty message')
export const missingPermissions = (): Refusal => new Refusal(403, 50013, 'Missing Permissions')
export const threadArchived = (): Refusal => new Refusal(400, 50083, 'Thread is archived')
export const threadExists = (): Refusal =>
  new Refusal(400, 160004, 'A thread has already been created for this message')

interface Tree {
  [key: string]: Tree | readonly { readonly code: string; readonly message: string }[]
}

/** 50035 with its tree of errors, from what zod found. */
export function invalidForm(issues: readonly z.core.$ZodIssue[]): Refusal {
  const errors: Tree = {}
  for (const issue of issues) {
    let at = errors
    for (const key of issue.path) {
      const next = at[String(key)]
      at = at[String(key)] = next === undefined || Array.isArray(next) ? {} : (next as Tree)
    }
    at['_errors'] = [{ code: codeOf(issue), message: issue.message }]
  }
  return new Refusal(400, 50035, 'Invalid Form Body', { errors })
}

function codeOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'too_big') return 'BASE_TYPE_MAX_LENGTH'
  if (issue.code === 'too_small') return 'BASE_TYPE_MIN_LENGTH'
  return issue.code === 'invalid_type' ? 'BASE_TYPE_REQUIRED' : 'BASE_TYPE_BAD_VALUE'
}
