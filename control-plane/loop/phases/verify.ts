import { closed } from '../attempts.ts'
import { placeOf, type Work } from '../work.ts'
import type { BoxSpec } from '../../../src/domain/box.ts'
import type { Violation } from '../../../src/domain/policy.ts'
import type { Checkpoint } from '../../../src/domain/task.ts'

/** Removes the agent's box and reads the tree that it left: what the policy forbids undoes the step. */
export async function verify(work: Work): Promise<void> {
  const { deps, task } = work
  const row = underWay(work)
  await deps.engine.remove(row.box?.name ?? '')
  const violations = behindMasks(row.box, await deps.worktrees.verify(placeOf(task), task.head))
  if (violations.length > 0) {
    const checkpoints = [closed({ ...row, violations }, 'dropped', deps.clock())]
    work.report({ type: 'violated', violations }, { checkpoints, data: { violations } })
    return
  }
  work.report({ type: 'advanced', phase: 'candidate', text: 'The tree is inside the policy.' })
}

/** What stands where the box had a mask is no slip that a further prompt could put right: the mask was defeated. */
function behindMasks(box: BoxSpec | null, violations: readonly Violation[]): readonly Violation[] {
  if (box === null) return violations
  const masks = box.mounts
    .filter(({ source }) => source.kind === 'empty-file' || source.kind === 'empty-folder')
    .map(({ target }) => `${target}/`)
  return violations.map((violation) =>
    masks.some((mask) => `${box.folder}/${violation.path}/`.startsWith(mask))
      ? { ...violation, what: 'mask' }
      : violation,
  )
}

/** The attempt that is under way. */
export function underWay(work: Work): Checkpoint {
  const row = work.deps.store.openCheckpoint(work.task.id)
  if (row === null)
    throw new Error(`task ${work.task.id} is in phase ${work.task.phase} without an attempt under way`)
  return row
}
