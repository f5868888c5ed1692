import type { TreePath } from '../domain/brand.ts'
import { Failure } from '../domain/failure.ts'
import type { PolicyMatcher } from '../domain/matcher.ts'
import type { Listing } from '../domain/listing.ts'
import { ancestors, byDepth, isAtOrUnder, join } from './tree.ts'

/** A path of the worktree that the box may not write: a denied one is not seen either. */
export interface Cover {
  readonly path: TreePath
  readonly kind: 'readonly' | 'deny'
  readonly type: 'file' | 'folder'
  readonly rule: string
  /** Nothing is there yet, and nothing is to appear. */
  readonly absent: boolean
}

// 200 masks cost about 30 ms of a start, 1,000 cost 130; the verifier catches what lies beyond.
const mostAbsent = 200

/**
 * The matches on disk. Fails closed where a denied path is a symlink (a mount on it would cover its target) or no file
 * at all. A readonly symlink, such as a CLAUDE.md that leads to AGENTS.md, cannot be mounted either: the verifier guards it.
 */
export function existingCovers(listing: Listing): readonly Cover[] {
  return listing.matches.flatMap(({ path, type, kind, rule }): Cover[] => {
    if (path === '.git') return []
    if (type === 'file' || type === 'folder') return [{ path, kind, type, rule, absent: false }]
    if (type === 'symlink' && kind === 'readonly') return []
    const what = type === 'symlink' ? 'a symlink' : 'neither a file nor a folder'
    throw new Failure(
      'worktree',
      `${path} is ${what}, and the policy says ${kind} (${rule}): no mount can hold that. Remove it and try again.`,
    )
  })
}

/**
 * Denied names that are not there: first the files that the base commit has and the box may not see, then the literal
 * names in the root and in every folder that is pinned anyway. Not in all folders: a mask makes its folder a thing that
 * can be neither removed nor renamed, so `rm -rf src` or `git mv` would fail in a box where nothing was to be hidden.
 * What is created elsewhere is found by the verifier and undone. `closed` holds what is covered or none of the agent's.
 */
export function absentCovers(
  listing: Listing,
  matcher: PolicyMatcher,
  existing: readonly Cover[],
  closed: ReadonlySet<TreePath>,
  writable: (path: TreePath) => boolean,
): readonly Cover[] {
  const found = new Map<TreePath, Cover>()
  const add = (path: TreePath, type: Cover['type'], rule: string): void => {
    if (found.size >= mostAbsent || isAtOrUnder(closed, path) || !writable(path)) return
    if (found.has(path) || ancestors(path).some((folder) => found.has(folder))) return
    found.set(path, { path, kind: 'deny', type, rule, absent: true })
  }

  for (const path of listing.hidden) {
    const top = topmostDenied(path, matcher)
    if (top !== null) add(top.path, top.type, top.rule)
  }
  const pinned = new Set([...existing, ...found.values()].flatMap(({ path }) => ancestors(path)))
  for (const folder of ['', ...[...pinned].filter((path) => path !== '').sort(byDepth)]) {
    if (found.size >= mostAbsent) break
    for (const literal of matcher.literals()) {
      const path = join(folder, literal.name)
      // A second `.git` would make git take the folder for a repository of its own.
      if (literal.name.toLowerCase() === '.git') continue
      // As a file: what denies folders alone leaves a file of that name free, and there may be one.
      const verdict = matcher.verdict(path, false)
      if (verdict.kind === 'deny') add(path, 'file', verdict.rule)
    }
  }
  return [...found.values()]
}

function topmostDenied(path: TreePath, matcher: PolicyMatcher): Pick<Cover, 'path' | 'type' | 'rule'> | null {
  for (const folder of ancestors(path)) {
    const verdict = matcher.verdict(folder, true)
    if (verdict.kind === 'deny') return { path: folder, type: 'folder', rule: verdict.rule }
  }
  const verdict = matcher.verdict(path, false)
  return verdict.kind === 'deny' ? { path, type: 'file', rule: verdict.rule } : null
}
