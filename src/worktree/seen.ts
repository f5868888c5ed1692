import type { RawPath } from './raw.ts'
import type { Changed } from './status.ts'

/** What is on disk at a path, in a word for people. */
export type Found = 'file' | 'folder' | 'symlink' | 'fifo' | 'socket' | 'device' | 'gone'

export interface Place {
  readonly path: RawPath
  readonly found: Found
}

/** What git does not see of a tree on disk. */
export interface Walked {
  /** Fifos, sockets and devices. */
  readonly specials: readonly Place[]
  /** Entries named `.git` below the root. */
  readonly gits: readonly Place[]
  /** Folders without any file in or below them. */
  readonly hollow: readonly RawPath[]
  /** Files and folders with set-id bits. */
  readonly setId: readonly RawPath[]
  /** Changed within the second of the seal and after it: git cannot tell these from unchanged ones by their times. */
  readonly young: readonly RawPath[]
  /** Something could not be read until it was given its rights back: what git saw meanwhile is not complete. */
  readonly repaired: boolean
}

/** The worktree after a box, against the commit it started from. */
export interface Examined {
  readonly changed: readonly Changed[]
  /** Files and symlinks that no commit holds and no .gitignore covers. */
  readonly untracked: readonly RawPath[]
  /** What .gitignore files on disk cover; a folder ends with `/`. */
  readonly ignored: readonly RawPath[]
  /** Folders that are repositories of their own, and what lies in the empty folders of submodules; with `/` at the end. */
  readonly nested: readonly RawPath[]
  /** What lies on disk where setup's folders are mounted in the box. */
  readonly setup: readonly RawPath[]
  /** All that lies in the folders of `ignored` and `nested`, themselves included. */
  readonly inside: readonly Place[]
  readonly disk: Walked
  /** What stands in the place of the root's `.git` file; null where it is as we made it. */
  readonly pointer: Found | null
}
