import type { Caller } from '../../src/domain/caller.ts'
import type { Submitted } from '../../src/domain/submitted.ts'
import type { TaskId } from '../../src/domain/ids.ts'
import type { TaskRequest } from '../../src/domain/intake.ts'
import type { Occurrence, Schedule } from '../../src/domain/schedule/schedule.ts'
import type { Actor, Task } from '../../src/domain/task.ts'
import { submissionOf } from '../gate/submissions.ts'
import { decide, openSurface } from '../gate/surfaces.ts'
import type { Lost, SurfaceChange } from '../store/store.ts'
import type { Drafted } from '../submit.ts'
import type { Tasks } from '../tasks.ts'

export interface RunDeps {
  readonly tasks: Pick<Tasks, 'bear'>
  /** Makes a request ready to be a task, as every entry does; the risk gate is in it. */
  readonly draft: (request: TaskRequest, id: TaskId, caller: Caller) => Promise<Drafted>
  /** Epoch milliseconds. */
  readonly clock: () => number
}

/** A run that is to be a task. */
export interface RunWanted {
  readonly id: TaskId
  readonly occurrence: Omit<Occurrence, 'state' | 'task' | 'at' | 'text'>
  /** Who it is on record as made by. */
  readonly actor: Actor
  /** For people, after what was done; '' where there is nothing to say. */
  readonly text: string
  readonly alone: boolean
}

export interface Made extends Submitted {
  readonly kind: 'made'
  readonly occurrence: Occurrence
}

export const actorOf = ({ name }: Pick<Schedule, 'name'>): Actor => ({ kind: 'schedule', id: name })

/**
 * The task of a run, which is not written yet, and whether what the risk gate found is approved in advance. Rejects with
 * what `draft` rejects with.
 */
export async function draftRun(
  { draft }: Pick<RunDeps, 'draft'>,
  { autoApprove, task: request }: Schedule,
  { id, actor }: Pick<RunWanted, 'id' | 'actor'>,
): Promise<Drafted & { readonly approved: boolean }> {
  // Only an owner or the configuration can have written the request, whoever has it run.
  const drafted = await draft(request, id, { actor, role: 'owner' })
  const approved = autoApprove && drafted.task.status === 'DRAFT'
  return { ...drafted, approved, task: approved ? { ...drafted.task, status: 'PENDING' } : drafted.task }
}

/**
 * Makes the task of a run, in one transaction with the record of that run: of two who try, one makes it. Rejects with
 * what `draft` rejects with; then nothing is written.
 */
export async function makeRun(deps: RunDeps, schedule: Schedule, planned: RunWanted): Promise<Made | Lost> {
  const { revision, task: request } = schedule
  const { task, notes, hidden, approved } = await draftRun(deps, schedule, planned)
  const at = deps.clock()
  const said = `${taskText(task, approved)}${planned.text && ` ${planned.text}`}`
  const occurrence: Occurrence = { ...planned.occurrence, state: 'made', task: task.id, text: said, at }
  const { plannedAt, kind } = occurrence
  const submission = { ...submissionOf(request, notes), hidden }
  const made = deps.tasks.bear(task, `${said} By the schedule ${schedule.name}.`, {
    data: { ...submission, schedule: { name: schedule.name, plannedAt, kind } },
    ...surfaceOf(schedule, task, approved, at),
    scheduled: { occurrence, revision, alone: planned.alone },
  })
  return made.kind === 'lost' ? made : { kind: 'made', task: made.task, notes, occurrence }
}

function taskText({ status }: Task, approved: boolean): string {
  if (approved) return 'Submitted, and approved by autoApprove in cofferdam.yaml.'
  return status === 'DRAFT' ? 'Submitted; waits for approval.' : 'Submitted.'
}

/** An approval in advance is as much on record as one by a person. */
function surfaceOf(
  schedule: Schedule,
  task: Task,
  approved: boolean,
  at: number,
): { surface?: SurfaceChange } {
  if (approved) {
    const text = 'autoApprove in cofferdam.yaml'
    return { surface: decide(null, task, { action: 'approve', text, actor: actorOf(schedule), at }) }
  }
  return task.status === 'DRAFT' ? { surface: { open: openSurface(task, at) } } : {}
}
