import type { CommitId, HostPath, TreeId } from '../domain/brand.ts'
import { at, type TaskLayout } from './layout.ts'
import { formatOf, objectId, readLoose } from './objects.ts'
import type { Site } from './site.ts'

/** The tree of a commit in the mirror; a git process only where the commit is in a pack. */
export async function treeOf(
  site: Site,
  { mirror, gitDir }: Pick<TaskLayout, 'mirror' | 'gitDir'>,
  commit: CommitId,
): Promise<TreeId> {
  const body = looseCommit(at(mirror, 'objects'), commit)
  const named = body === null ? undefined : /^tree ([0-9a-f]+)\n/.exec(body.toString('latin1', 0, 80))?.[1]
  if (named !== undefined) return named as TreeId
  return (await site.git.line({ gitDir }, ['rev-parse', '--verify', `${commit}^{tree}`])) as TreeId
}

/** Null where it cannot be read, or is not what it is called: git says why. */
function looseCommit(objects: HostPath, commit: CommitId): Buffer | null {
  try {
    const body = readLoose(objects, commit)
    return body !== null && objectId('commit', body, formatOf(commit)) === commit ? body : null
  } catch {
    return null
  }
}
