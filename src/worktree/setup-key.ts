import type { CommitId } from '../domain/brand.ts'
import { canonicalJson, sha256 } from '../domain/canonical-json.ts'
import { isManifest, manifestFingerprint } from '../domain/setup.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { readBlobs } from './blobs.ts'
import { commitEntries } from './commit-entries.ts'
import { layoutOf } from './layout.ts'
import type { Memory } from './memory.ts'
import { textOf } from './raw.ts'
import type { Site } from './site.ts'

/** A hash over the manifests and lock files of a commit; asked after every step, so it is kept. */
export async function setupKeyOf(
  site: Site,
  task: TaskPlace,
  memory: Memory,
  commit: CommitId,
): Promise<string> {
  const known = memory.setupKeys.get(commit)
  if (known !== undefined) return known
  const place = { gitDir: layoutOf(site.data, task).mirror }
  const entries = await commitEntries(site, task, commit)
  const files = entries.filter((entry) => entry.mode.startsWith('100') && isManifest(textOf(entry.path)))
  const blobs = await readBlobs(
    site.git,
    place,
    files.map(({ id }) => id),
  )
  const prints = files.map(({ path, id }) => {
    const content = blobs.get(id)
    return [textOf(path), content === undefined ? id : manifestFingerprint(textOf(path), content)]
  })
  const key = sha256(canonicalJson(prints))
  memory.setupKeys.set(commit, key)
  return key
}
