import type { CommitId } from '../../src/domain/brand.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { Connection } from './database.ts'

/** Where a database says that the branch of a task is. */
export interface Head {
  readonly task: TaskId
  /** Names the mirror. */
  readonly repository: string
  readonly branch: string
  readonly head: CommitId
  readonly base: CommitId
}

/** Those of the tasks that are not discarded. */
export function headsOf(db: Connection): () => readonly Head[] {
  const all = db.prepare<[], Head>(
    `SELECT id AS task, repository_key AS repository, branch, head, base_commit AS base
     FROM runtime_tasks WHERE delivery <> 'discarded'`,
  )
  return () => all.all()
}
