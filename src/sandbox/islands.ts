import type { TreePath } from '../domain/brand.ts'
import type { PolicyMatcher } from '../domain/matcher.ts'
import type { Policy } from '../domain/policy.ts'
import type { Listing } from '../domain/listing.ts'
import { ancestors, byDepth, isAtOrUnder, join } from './tree.ts'

/** A writable place in a readonly worktree. */
export interface Island {
  readonly path: TreePath
  readonly type: 'file' | 'folder'
}

// A name that no pattern means by itself: where it may be written, anything new may be.
const anyName = 'cofferdam-any-name'

/**
 * The topmost writable places under an allow list: folders in which new files are allowed, and what the list names
 * without wildcards, whether it is there or not. A file can only be written in place (its folder stays readonly), so a
 * pattern such as `*.md` opens nothing by itself.
 */
export function islandsOf(policy: Policy, listing: Listing, matcher: PolicyMatcher): readonly Island[] {
  const found = new Map<TreePath, Island>()
  const add = (path: TreePath, type: Island['type']): void => {
    if (!ancestors(path).some((folder) => found.has(folder))) found.set(path, { path, type })
  }
  const open = (folder: TreePath): boolean => matcher.verdict(join(folder, anyName), false).kind === 'none'

  const folders = new Set(listing.folders)
  const named = policy.allow.flatMap(namedBy).filter(({ path }) => !folders.has(path))
  const candidates: Island[] = [
    ...listing.folders.filter(open).map((path) => ({ path, type: 'folder' as const })),
    ...named.filter(({ path, type }) =>
      type === 'folder' ? open(path) : matcher.verdict(path, false).kind === 'none',
    ),
  ]
  const matched = new Set(listing.matches.map(({ path }) => path))
  for (const { path, type } of candidates.sort((a, b) => byDepth(a.path, b.path)))
    if (!isAtOrUnder(matched, path)) add(path, type)
  return [...found.values()]
}

/** The path that a pattern without wildcards names; a folder where it ends with `/` or `/**`. */
function namedBy(pattern: string): Island[] {
  const path = pattern.replace(/^\//, '').replace(/\/(?:\*\*)?$/, '')
  if (path === '' || /[*?[\]\\]/.test(path)) return []
  return [{ path, type: pattern.endsWith('/') || pattern.endsWith('/**') ? 'folder' : 'file' }]
}
