import type { Task } from '../task.ts'

/** How the last delivery of a task came out, in a sentence; null where there was none, or it is under way. */
export function lastSaid({ merge, pull }: Pick<Task, 'merge' | 'pull'>): string | null {
  const isPull = pull !== null && pull.at >= (merge?.at ?? 0)
  return (isPull ? pull : merge)?.said ?? null
}
