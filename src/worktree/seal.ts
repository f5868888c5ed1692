import { attestationTrailer } from '../domain/attestation.ts'
import type { CommitId } from '../domain/brand.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { rememberTrees } from './filtered.ts'
import { at, layoutOf } from './layout.ts'
import type { Memory } from './memory.ts'
import { formatOf, readLoose, writeBody } from './objects.ts'
import type { Site } from './site.ts'
import { settleAt } from './state.ts'

const line = new RegExp(`^${attestationTrailer}: ([0-9a-f]{64})\\n$`)

/**
 * Writes the commit of a checkpoint: a candidate with the line of its attestation at its end. The candidate stays on its
 * private ref; what the worktree holds is the tree of both.
 * @param memory what is known of the task, so that nothing is read again; null where there is no worktree
 */
export async function sealCommit(
  site: Site,
  task: TaskPlace,
  memory: Memory | null,
  candidate: CommitId,
  attestation: string,
): Promise<CommitId> {
  const { mirror } = layoutOf(site.data, task)
  const objects = at(mirror, 'objects')
  // Where somebody has packed it, git finds it.
  const body =
    readLoose(objects, candidate) ??
    (await site.git.run({ gitDir: mirror }, ['cat-file', 'commit', candidate]))
  const sealed = Buffer.concat([body, Buffer.from(`${attestationTrailer}: ${attestation}\n`)])
  const commit = await writeBody(objects, task.id, sealed, formatOf(candidate), true)
  if (memory !== null) remember(site, task, memory, candidate, commit)
  return commit
}

function remember(site: Site, task: TaskPlace, memory: Memory, candidate: CommitId, commit: CommitId): void {
  const key = memory.setupKeys.get(candidate)
  if (key !== undefined) memory.setupKeys.set(commit, key)
  if (memory.state.at !== candidate) return
  rememberTrees(site, task, commit, memory.state)
  memory.state = settleAt(site, task, { ...memory.state, at: commit })
}

/** The body of a commit without the line of its attestation, and what that names; null where it has none. */
export function unsealed(body: Buffer): { readonly body: Buffer; readonly attestation: string } | null {
  const start = body.lastIndexOf('\n', body.length - 2) + 1
  const attestation = line.exec(body.toString('latin1', start))?.[1]
  return attestation === undefined ? null : { body: body.subarray(0, start), attestation }
}
