import type { HostPath } from '../domain/brand.ts'
import type { LeftOut } from '../domain/worktree.ts'
import { complaintsAbout, type Complaint } from './complaints.ts'
import type { Difference, Differences, Tree } from './gate.ts'
import { mayOffend } from './git-names.ts'
import { textOf, type RawPath } from './raw.ts'
import type { Site } from './site.ts'

/** A change that no repository would take, with git's reason. */
export interface Offender {
  readonly difference: Difference
  readonly says: string
}

/** What the source would refuse of the differences to a tree that it takes. Costs nothing where no name is git's own. */
export async function offendersIn(
  site: Site,
  gitDir: HostPath,
  changes: Differences,
  root: string,
): Promise<readonly Offender[]> {
  if (!changes.differences.some(({ path }) => mayOffend(path))) return []
  const trees = [...changes.trees, { id: root, path: '' as RawPath }]
  const ids = new Set(trees.map(({ id }) => id))
  return blamed(changes.differences, trees, await complaintsAbout(site, gitDir, [...ids]))
}

/** Whose doing each complaint is. One that fits no difference is about something that was there before. */
export function blamed(
  differences: readonly Difference[],
  trees: readonly Tree[],
  complaints: readonly Complaint[],
): readonly Offender[] {
  const found = new Map<string, Offender>()
  for (const { object, says } of complaints) {
    const folders = new Set<string>(trees.filter(({ id }) => id === object).map(({ path }) => path))
    for (const difference of differences) {
      const { path, after, id } = difference
      const own = id === object || (folders.has(folderOf(path)) && mayOffend(path))
      if (own && after !== '000000' && !found.has(path)) found.set(path, { difference, says })
    }
  }
  return [...found.values()]
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

export function undoneBecause({ difference, says }: Offender): LeftOut {
  return { path: textOf(difference.path), why: `git refuses it: ${says}`, undone: true }
}
