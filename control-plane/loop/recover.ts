import { lossCap } from '../../src/domain/transition/table.ts'
import { isWorking, type Task } from '../../src/domain/task.ts'
import { logFile } from '../log.ts'
import type { LoopDeps } from './work.ts'

/**
 * Puts back what a dead process left: what was in flight is pending again, with its attempt and box still on record.
 * A task that has taken the process down again and again waits for a person.
 */
export function recover(deps: Pick<LoopDeps, 'store' | 'tasks'>): void {
  for (const task of deps.store.inFlight().filter(isWorking)) {
    if (task.losses + 1 >= lossCap) {
      const text = `${task.losses + 1} attempts in a row were lost, the last one when the control plane ended. Look at ${logFile} in the data folder, then resume.`
      deps.tasks.report(task.id, task.fence, { type: 'halted', reason: 'crash', text })
      continue
    }
    const text = 'The control plane was restarted; the task is in the queue again.'
    deps.tasks.report(task.id, task.fence, { type: 'requeued', text, crashed: true })
  }
}

/** A halted task whose work is still to be kept. A pending one waits for its claim. */
export function isLeftOver(task: Task): boolean {
  return task.phase === 'salvage' && !isWorking(task) && task.status !== 'PENDING'
}
