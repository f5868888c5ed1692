import { z } from 'zod'
import type { Millis } from '../../src/domain/brand.ts'
import { canonicalJson, sha256 } from '../../src/domain/canonical-json.ts'
import type { Submitted } from '../../src/domain/submitted.ts'
import { Failure } from '../../src/domain/failure.ts'
import { type TaskId, taskId } from '../../src/domain/ids.ts'
import type { TaskRequest } from '../../src/domain/intake.ts'
import type { QuestionRequest } from '../../src/domain/question/request.ts'
import type { Actor } from '../../src/domain/task.ts'
import type { Store } from '../store/store.ts'

/** What the birth of a task keeps, so that the same submission can be told from another. */
export interface Submission {
  readonly requestHash: string
  readonly notes: readonly string[]
}

const schema: z.ZodType<Submission> = z.object({ requestHash: z.string(), notes: z.array(z.string()) })

/** A key that was used for another request before. */
export class KeyTaken extends Failure {
  constructor(message: string) {
    super('conflict', message)
  }
}

/** How long a key names one submission, in days; from then on it names another one. */
export const keyDays = 7

/** The id of the task that an actor submits under a key: always the same, so no table of keys is needed. */
export function idUnder(key: string, actor: Actor): TaskId {
  return taskId(Buffer.from(sha256(canonicalJson([actor.kind, actor.id, key])), 'hex'))
}

/** The id under this key now: that of the task which was made under it within the time that a key has, else a free one. */
export function idNow(store: Pick<Store, 'task'>, key: string, actor: Actor, now: Millis): TaskId {
  for (let uses = 0; ; uses += 1) {
    // No key of anybody has a space.
    const id = idUnder(uses === 0 ? key : `${key} ${uses}`, actor)
    const task = store.task(id)
    if (task === null || now - task.createdAt < keyDays * 24 * 60 * 60 * 1000) return id
  }
}

export function submissionOf(request: TaskRequest | QuestionRequest, notes: readonly string[]): Submission {
  return { requestHash: sha256(canonicalJson(request)), notes }
}

/** What was answered to the submission that made task `id`; null where there is none. Another request is a `conflict`. */
export function answered(
  store: Pick<Store, 'task' | 'events'>,
  id: TaskId,
  request: TaskRequest | QuestionRequest,
): Submitted | null {
  const task = store.task(id)
  if (task === null) return null
  const made = schema.safeParse(store.events(id, 0, 1)[0]?.data)
  const { requestHash } = submissionOf(request, [])
  if (made.success && made.data.requestHash === requestHash) return { task, notes: made.data.notes }
  throw new KeyTaken(
    `Task ${id} was submitted under this key with another request: look at it, or take a new key for a new task.`,
  )
}
