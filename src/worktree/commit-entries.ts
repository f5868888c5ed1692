import type { CommitId } from '../domain/brand.ts'
import type { TaskPlace } from '../domain/worktree.ts'
import { type Entry, parseEntries } from './entries.ts'
import { layoutOf } from './layout.ts'
import type { Site } from './site.ts'

/** All that the tree of a commit holds, without a checkout. */
export async function commitEntries(
  site: Site,
  task: TaskPlace,
  commit: CommitId,
): Promise<readonly Entry[]> {
  const place = { gitDir: layoutOf(site.data, task).mirror }
  return parseEntries(await site.git.run(place, ['ls-tree', '-r', '-z', commit]))
}
