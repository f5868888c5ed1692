import { randomUUID } from 'node:crypto'
import type { Actor, Task } from '../../src/domain/task.ts'
import type { Surface, SurfaceChange } from '../store/store.ts'

/** How long a surface can be used, ms. */
const surfaceTtlMs = 24 * 60 * 60 * 1000

const draftActions: readonly string[] = ['approve', 'reject', 'suggest']

/** What a person decided, and when. */
export interface Decided {
  readonly action: string
  readonly text: string | null
  readonly actor: Actor
  readonly at: number
}

/** A place where a person can decide on a draft; bound to the revision that is shown. */
export function openSurface(task: Task, now: number): Surface {
  return {
    id: randomUUID(),
    taskId: task.id,
    revision: task.revision,
    actions: draftActions,
    openedAt: now,
    expiresAt: now + surfaceTtlMs,
    closedAt: null,
    usedAction: null,
    usedBy: null,
    text: null,
  }
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
