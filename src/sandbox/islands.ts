import type { TreePath } from '../domain/brand.ts'
import type { PolicyMatcher } from '../domain/matcher.ts'
import type { Policy } from '../domain/policy.ts'
import { isOpenFolder, type Listing } from '../domain/listing.ts'
import { ancestors, byDepth, isAtOrUnder } from './tree.ts'

/** A writable place in a readonly worktree. */
export interface Island {
  readonly path: TreePath
  readonly type: 'file' | 'folder'
}

// A mount each: so many cost some 30 ms of a start, and a pattern that means more of them means folders.
const mostFiles = 200

/**
 * The topmost writable places under an allow list: folders in which new files are allowed, what the list names without
 * wildcards, whether it is there or not, and files that its other patterns match (`*.md`), the first 200 of them from the
 * top down, by name; the rest stays readonly. A file outside of an open folder is written in place and nothing else: its
 * folder is readonly, so it cannot be removed, nor replaced as some editors do (EBUSY), nor a new one made beside it. To
 * open the folder and cover all else in it would let anything new be made there, and leave that to the verifier.
 */
export function islandsOf(policy: Policy, listing: Listing, matcher: PolicyMatcher): readonly Island[] {
  const found = new Map<TreePath, Island>()
  const add = (path: TreePath, type: Island['type']): void => {
    if (!ancestors(path).some((folder) => found.has(folder))) found.set(path, { path, type })
  }
  const open = (folder: TreePath): boolean => isOpenFolder(matcher, folder)

  const folders = new Set(listing.folders)
  const files = new Set(listing.writable)
  const named = policy.allow
    .flatMap(namedBy)
    .filter(({ path, type }) => !folders.has(path) && (type === 'file' || !files.has(path)))
  for (const { path } of named) files.delete(path)
  const candidates: Island[] = [
    ...listing.folders.filter(open).map((path) => ({ path, type: 'folder' as const })),
    ...named.filter(({ path, type }) =>
      type === 'folder' ? open(path) : matcher.verdict(path, false).kind === 'none',
    ),
    ...[...files]
      .sort(byDepth)
      .slice(0, mostFiles)
      .map((path) => ({ path, type: 'file' as const })),
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
