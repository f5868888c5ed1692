import type { BoxSpec } from '../../src/domain/box.ts'
import type { Violation } from '../../src/domain/policy.ts'
import type { Checkpoint } from '../../src/domain/task.ts'
import { closed } from './attempts.ts'
import { attested } from './attested.ts'
import { placeOf, type Work } from './work.ts'

/** Removes the agent's box, and reads what is forbidden in the tree that it left. */
export async function violationsOf(work: Work, box: BoxSpec): Promise<readonly Violation[]> {
  const { deps, task, signal } = work
  await deps.engine.remove(box.name)
  if (task.kind === 'question') return await changesOf(work)
  return behindMasks(box, await deps.worktrees.verify(placeOf(task), task.head, signal))
}

/**
 * What a question has changed. Whatever the policy says of a path: in its box each was readonly, so a change of any is a
 * defeated mount.
 */
export async function changesOf({ deps, task, signal }: Work): Promise<readonly Violation[]> {
  const policy = { ...task.policy, readonly: ['*', ...task.policy.readonly] }
  const found = await deps.worktrees.verify({ ...placeOf(task), policy }, task.head, signal)
  return found.map((violation) => ({ ...violation, what: 'mask' }))
}

/** What the policy forbids was found in what a step left: its attempt is over. */
export function reportViolation(work: Work, row: Checkpoint, violations: readonly Violation[]): void {
  const over = closed({ ...row, violations }, 'dropped', work.deps.clock())
  const { row: dropped, attestation } = attested(work, over)
  work.report({ type: 'violated', violations }, { checkpoints: [dropped], attestation, data: { violations } })
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
