import { randomUUID } from 'node:crypto'
import type { Actor, Task } from '../../src/domain/task.ts'
import type { Surface, SurfaceChange } from '../store/store.ts'

/** How long a surface can be used, ms. */
const surfaceTtlMs = 24 * 60 * 60 * 1000

/** What a person is asked about a task; empty where nothing is to be decided. */
export function offeredActions(
  task: Pick<Task, 'kind' | 'status' | 'phase' | 'delivery' | 'merge'>,
): readonly string[] {
  if (task.status === 'DRAFT') return ['approve', 'reject', 'suggest']
  if (task.status !== 'APPLIED' || task.phase !== null || task.kind === 'question') return []
  switch (task.delivery) {
    case 'none':
    case 'undone':
    case 'conflict':
    case 'rejected':
    case 'pr_closed':
      return ['merge', 'pull-request', 'discard']
    case 'merged':
      // What the branch had already cannot be taken out of it.
      return task.merge !== null && task.merge.from !== task.merge.commit ? ['undo'] : []
    default:
      return []
  }
}

/** What a person decided, and when. */
export interface Decided {
  readonly action: string
  readonly text: string | null
  readonly actor: Actor
  readonly at: number
}

/** A place where a person can decide on a task; bound to the revision that is shown. */
export function openSurface(task: Task, now: number): Surface {
  return {
    id: randomUUID(),
    taskId: task.id,
    revision: task.revision,
    actions: offeredActions(task),
    openedAt: now,
    expiresAt: now + surfaceTtlMs,
    closedAt: null,
    usedAction: null,
    usedBy: null,
    text: null,
  }
}

/** The place for what a task offers by now; nothing where nothing is to be decided. */
export function offerOf(task: Task, now: number): Pick<SurfaceChange, 'open'> {
  const open = openSurface(task, now)
  return open.actions.length === 0 ? {} : { open }
}

/**
 * What is written along with a decision. The open surface is used and so closed; where there is none, or it has
 * expired, one is recorded that was never open, so that every decision is on record.
 * @param pressed the surface is the one whose button was pressed: it is used, or the decision does not count
 */
export function decide(
  surface: Surface | null,
  task: Task,
  decided: Decided,
  pressed = false,
): SurfaceChange {
  const { action, text, actor, at } = decided
  if (surface !== null && (pressed || (surface.expiresAt > at && surface.actions.includes(action)))) {
    return { use: { id: surface.id, action, actor, text, at }, closeAll: true }
  }
  const fresh = openSurface(task, at)
  return {
    closeAll: true,
    record: { ...fresh, actions: [action], closedAt: at, usedAction: action, usedBy: actor, text },
  }
}
