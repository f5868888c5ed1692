import { Failure } from '../failure.ts'
import type { Task } from '../task.ts'

/** A question with its answer. */
export interface Exchange {
  readonly question: string
  readonly answer: string
}

/** So much of a conversation is told to an agent that was not there. */
const mostExchanges = 6

/** Whether a question can follow this task up: it is an answered one that nobody has discarded. */
export function canFollowUp({ kind, status, answer, delivery }: Task): boolean {
  return kind === 'question' && status === 'APPLIED' && answer !== null && delivery !== 'discarded'
}

/** Throws a `conflict` with the reason where no question can follow a task up. */
export function refuseFollowUp(task: Task): void {
  if (canFollowUp(task)) return
  const { id, kind, status, delivery } = task
  if (kind !== 'question')
    throw new Failure(
      'conflict',
      `Task ${id} is no question, so none can follow it up: ask about its repository instead.`,
    )
  if (delivery === 'discarded')
    throw new Failure(
      'conflict',
      `Question ${id} is discarded, and its conversation with it: ask about its repository instead.`,
    )
  throw new Failure(
    'conflict',
    `Question ${id} is ${status} and has no answer yet: ask the next one when it is answered.`,
  )
}

/** What was asked and answered before a question, oldest first. */
export function earlierOf(
  question: Pick<Task, 'parentTaskId'>,
  find: (id: NonNullable<Task['parentTaskId']>) => Task | null,
): readonly Exchange[] {
  const found: Exchange[] = []
  let parent = question.parentTaskId
  while (parent !== null && found.length < mostExchanges) {
    const task = find(parent)
    if (task === null) break
    if (task.answer !== null) found.unshift({ question: task.goal, answer: task.answer })
    parent = task.parentTaskId
  }
  return found
}
