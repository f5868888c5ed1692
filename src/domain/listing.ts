import type { TreePath } from './brand.ts'
import type { PolicyMatcher } from './matcher.ts'

/** The paths of a tree that the mount plan is computed from. Sorted. */
export interface Listing {
  /** Tracked paths of the base commit that the policy denies: never in the box. */
  readonly hidden: readonly TreePath[]
  /** Every folder of the worktree now, without a trailing `/`, root excluded. */
  readonly folders: readonly TreePath[]
  /** Every path on disk (files, folders, symlinks) that the policy calls readonly or deny, topmost match only. */
  readonly matches: readonly {
    path: TreePath
    type: 'file' | 'folder' | 'symlink' | 'other'
    kind: 'readonly' | 'deny'
    rule: string
  }[]
  /** Under an allow list: files that it opens in folders in which nothing new may be made, such as those of `*.md`. */
  readonly writable?: readonly TreePath[]
}

// A name that no pattern means by itself: where it may be written, anything new may be.
const anyName = 'cofferdam-any-name'

/** Whether anything new may be made in a folder; `''` is the root. */
export function isOpenFolder(matcher: PolicyMatcher, folder: TreePath): boolean {
  return matcher.verdict(folder === '' ? anyName : `${folder}/${anyName}`, false).kind === 'none'
}
