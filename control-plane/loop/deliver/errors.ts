import { Failure, type FailureCode, messageOf } from '../../../src/domain/failure.ts'
import { closed } from '../attempts.ts'
import type { Work } from '../work.ts'
import { end, refuse } from './ending.ts'
import { planOf } from './plan.ts'

/**
 * How long after the last event of a delivery its part is still tried again, ms: a far end that takes long to say nothing is
 * not waited for again and again. It is no bound for the database and the engine, whose many tries take minutes by intent.
 */
const patienceMs = 60_000

/** How often what may pass by itself is tried; between the tries it waits, up to half a minute each time. */
function triesAt(code: FailureCode | null, isMoving: boolean, isLate: boolean): number {
  if (code === 'database') return 20
  if (code === 'engine') return 14
  // Once more, to find out whether the branch was moved.
  if (isLate) return isMoving ? 2 : 1
  return code === 'busy' || isMoving ? 6 : 1
}

/**
 * What it means for a delivery that a part of it threw: tried again, or given up. Where it is not known whether the branch
 * was moved, the next try finds out, also that of another decision.
 */
export async function afterDeliveryError(
  work: Work,
  error: unknown,
  errors: number,
  pause: () => Promise<void>,
): Promise<void> {
  const { deps, task } = work
  const code = error instanceof Failure ? error.code : null
  // It may have been moved by what failed.
  const isMoving = task.phase === 'merge_move' || task.phase === 'undo'
  const isLate = deps.clock() - task.updatedAt >= patienceMs
  if (errors < triesAt(code, isMoving, isLate)) {
    await pause()
    return
  }
  const text = `${messageOf(error)}${code === 'disk' ? ' Make room there, then try again.' : ''}`
  if (task.phase === 'push' || task.phase === 'pull_open') {
    refuse(work, text)
    return
  }
  const row = deps.store.openCheckpoint(task.id)
  const checkpoints = row === null ? [] : [closed(row, 'dropped', deps.clock())]
  if (task.phase === 'undo') end(work, { type: 'undo_refused', text: `Not undone: ${text}` }, { checkpoints })
  else {
    const said = `Not merged into ${planOf(task).into}: ${text}`
    end(work, { type: 'merge_refused', why: 'other', text: said }, { checkpoints })
  }
}
