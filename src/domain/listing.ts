import type { TreePath } from './brand.ts'

/** The paths of a tree that the mount plan is computed from. Folders end with `/`. Sorted. */
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
}
