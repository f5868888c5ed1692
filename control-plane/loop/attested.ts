import type { SignedAttestation } from '../../src/domain/attestation.ts'
import type { Checkpoint } from '../../src/domain/task.ts'
import { placeOf, type Work } from './work.ts'

/** An attempt that is over, as it is written together with its attestation. */
export interface Attested {
  readonly row: Checkpoint
  readonly attestation: SignedAttestation
}

/** Attests an attempt of which nothing goes on the branch. */
export function attested({ deps, task }: Work, row: Checkpoint): Attested {
  return { row, attestation: deps.attestor.step(task, row, deps.posture()) }
}

/**
 * Attests an attempt, and moves the branch to its candidate, under the attestation's hash. The candidate that was tested
 * stays on its private ref: the commit on the branch has the same tree and parent, and one more line. Where nothing
 * changed, the branch stays where it is.
 */
export async function attestedOnBranch(
  work: Work,
  row: Checkpoint & { readonly candidate: NonNullable<Checkpoint['candidate']> },
): Promise<Attested> {
  const { deps, task } = work
  const { candidate } = row
  const { attestation } = attested(work, row)
  if (!candidate.changed) return { row: { ...row, commit: candidate.commit }, attestation }
  const place = placeOf(task)
  const commit = await deps.worktrees.seal(place, candidate.commit, attestation.hash)
  await deps.worktrees.checkpoint(place, commit)
  return { row: { ...row, commit }, attestation }
}
