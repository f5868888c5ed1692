/**
 * Outcomes that a person may meet, as a closed set. Each maps in one place to an exit code and an HTTP status, and
 * carries a sentence that says what is wrong and what to do next.
 */
export const failureCodes = [
  'bad_request',
  'bad_config',
  'not_found',
  'not_allowed',
  'unauthorized',
  'too_many',
  'server',
  'conflict',
  'repository',
  /** A repository by URL that is not there yet or does not answer: it may be otherwise in a while. */
  'remote',
  'data_folder',
  'database',
  'engine',
  'image',
  'worktree',
  'disk',
  'busy',
] as const
export type FailureCode = (typeof failureCodes)[number]

/** An expected failure: shown to people by its message alone, never with a stack. Anything else that is thrown is a bug. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: FailureCode
  constructor(code: FailureCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** The message of anything thrown, in one line. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ').trim()
}

/** What the system calls an error, such as `ENOENT`; empty where it is none of its own. */
export function systemCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** What could not be read, with the reason: for those who go on without it. */
export interface Unreadable {
  readonly unreadable: string
}

export function isReadable<T extends object>(value: T | Unreadable): value is T {
  return !('unreadable' in value)
}
