import type { Surface } from '../../control-plane/store/store.ts'
import { aTaskId, aTime } from './task.ts'

/** A surface on a DRAFT, open for a day. */
export function aSurface(overrides: Partial<Surface> = {}): Surface {
  return {
    id: 'surface-1',
    taskId: aTaskId,
    revision: 1,
    actions: ['approve', 'reject'],
    openedAt: aTime,
    expiresAt: aTime + 24 * 3600_000,
    closedAt: null,
    usedAction: null,
    usedBy: null,
    text: null,
    ...overrides,
  }
}
