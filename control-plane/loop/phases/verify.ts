import type { BoxSpec } from '../../../src/domain/box.ts'
import type { Violation } from '../../../src/domain/policy.ts'
import { underWay } from '../under-way.ts'
import { answer } from './answer.ts'
import { reportViolation } from '../violation.ts'
import { needed, placeOf, type Work } from '../work.ts'

/** Removes the agent's box and reads the tree that it left: what the policy forbids undoes the step. */
export async function verify(work: Work): Promise<void> {
  const { deps, task, signal } = work
  const row = underWay(work)
  const box = needed(row.box, task, 'a box')
  await deps.engine.remove(box.name)
  if (task.kind === 'question') {
    await answer(work, row)
    return
  }
  const violations = behindMasks(box, await deps.worktrees.verify(placeOf(task), task.head, signal))
  if (violations.length > 0) {
    reportViolation(work, row, violations)
    return
  }
  work.report({ type: 'advanced', phase: 'candidate', text: 'The tree is inside the policy.' })
}

/** What stands where the box had a mask is no slip that a further prompt could put right: the mask was defeated. */
function behindMasks(box: BoxSpec, violations: readonly Violation[]): readonly Violation[] {
  const masks = box.mounts
    .filter(({ source }) => source.kind === 'empty-file' || source.kind === 'empty-folder')
    .map(({ target }) => `${target}/`)
  return violations.map((violation) =>
    masks.some((mask) => `${box.folder}/${violation.path}/`.startsWith(mask))
      ? { ...violation, what: 'mask' }
      : violation,
  )
}
