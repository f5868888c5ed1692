import type { CommitId } from '../../domain/brand.ts'
import { submoduleMode } from '../entries.ts'
import type { GitPlace } from '../hardening.ts'
import { parts, type RawPath } from '../raw.ts'
import type { Site } from '../site.ts'

/** A path in which two commits differ. */
export interface Difference {
  readonly path: RawPath
  /** Nothing of it is tracked before; of what was a submodule, nothing that it holds. */
  readonly isNew: boolean
  readonly isGone: boolean
  /** The mode and the content that it has before and after; null where there is no content. */
  readonly mode: string
  readonly before: string | null
  readonly after: string | null
}

/** @param mirror holds both commits */
export async function differencesOf(
  site: Site,
  mirror: GitPlace,
  from: CommitId,
  to: CommitId,
): Promise<readonly Difference[]> {
  const args = ['diff-tree', '-r', '-z', '--raw', '--no-abbrev', '--no-renames', '--no-ext-diff', from, to]
  const records = parts(await site.git.run(mirror, args))
  const differences: Difference[] = []
  for (let at = 0; at + 1 < records.length; at += 2) {
    // `:<mode> <mode> <id> <id> <letter>`, then the path.
    const [old = '', mode = '', before = '', after = '', letter] = (records[at] ?? '').split(' ')
    const wasSubmodule = old === `:${submoduleMode}`
    differences.push({
      path: records[at + 1] ?? ('' as RawPath),
      isNew: letter === 'A' || wasSubmodule,
      isGone: letter === 'D',
      mode,
      before: letter === 'A' || wasSubmodule ? null : before,
      after: letter === 'D' || mode === submoduleMode ? null : after,
    })
  }
  return differences
}
