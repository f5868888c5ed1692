import type { HostPath, Millis } from './brand.ts'

/** What a backup, or the restore of one, came to. */
export interface BackupReport {
  /** The folder that was made. */
  readonly path: HostPath
  /** When the database was copied. */
  readonly at: Millis
  /** Tasks in it that are not discarded. */
  readonly tasks: number
  /** What a person has to know or do besides. */
  readonly notes: readonly string[]
  /** Where commits of tasks are not in it, or may not be: which, and what to do. */
  readonly incomplete?: string
}

/**
 * What helps where commits are gone, and loses nothing of newer tasks: a mirror is made anew with what the repository has, the branches
 * of tasks included, and commits never change.
 */
export const mirrorsBack =
  'a new task on the repository brings back what that has itself; for the rest put back, with the service ended, ' +
  'what is gone from a copy: `cp -an COPY/mirrors/. DATA/mirrors/`'

/** What helps where the database is not as it was written: only the whole folder belongs together. */
export const putBack = 'put back a copy of the whole data folder with `cofferdam restore`'
