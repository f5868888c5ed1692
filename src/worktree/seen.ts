import type { RawPath } from './raw.ts'

/** What is on disk at a path, in a word for people. */
export type Found = 'file' | 'folder' | 'symlink' | 'fifo' | 'socket' | 'device' | 'gone'

export interface Place {
  readonly path: RawPath
  readonly found: Found
}

export interface Long {
  readonly path: RawPath
  readonly tracked: boolean
  /** How long it may be, bytes. */
  readonly most: number
}

/** A tracked path that differs from the index. */
export interface Changed {
  readonly path: RawPath
  /** The mode on disk, octal; 000000 where it is gone. */
  readonly mode: string
  /** Git alone would not see it, so it must be told. */
  readonly disguised: boolean
}

/** A tracked path with its entry in the index. */
export interface Tracked {
  readonly path: RawPath
  readonly entry: number
}

/** What a walk sees of a tree on disk, beside what is as its index says. */
export interface Walked {
  /** Tracked files whose content or mode may be another. */
  readonly dirty: readonly Tracked[]
  /** Tracked files that are not there. */
  readonly gone: readonly Tracked[]
  /** Files and symlinks that are not tracked. */
  readonly untracked: readonly Place[]
  /** Fifos, sockets and devices. */
  readonly specials: readonly Place[]
  /** Entries named `.git` below the root; not looked into. */
  readonly gits: readonly Place[]
  /** Folders without any file in or below them. */
  readonly hollow: readonly RawPath[]
  /** Files and folders with set-id bits. */
  readonly setId: readonly RawPath[]
  /** Folders whose path is longer than is looked into. */
  readonly deep: readonly RawPath[]
  /** Files that are longer than anybody may read, new or with another time than in the index. */
  readonly long: readonly Long[]
}

/** The worktree after a box, against the commit it started from. */
export interface Examined {
  readonly changed: readonly Changed[]
  /** Tracked files with the content they had, though touched. */
  readonly touched: readonly RawPath[]
  /** Files and symlinks that no commit holds, ignored ones too. */
  readonly untracked: readonly Place[]
  /** Those that lie in no repository of their own. */
  readonly loose: readonly RawPath[]
  /** What of those .gitignore files on disk cover; a whole folder ends with `/`. */
  readonly ignored: readonly RawPath[]
  /** Folders that are repositories of their own, and submodules that are not empty; with `/` at the end. */
  readonly nested: readonly RawPath[]
  /** What is untracked in those. */
  readonly buried: readonly RawPath[]
  /** What lies on disk where setup's own is mounted in the box. */
  readonly setup: readonly RawPath[]
  /** All that is untracked: files, or the folders that hold nothing else. */
  readonly strangers: readonly RawPath[]
  readonly disk: Walked
  /** What stands in the place of the root's `.git` file; null where it is as we made it. */
  readonly pointer: Found | null
}

/** Whether a tracked file was taken away when the tree was looked through, as nobody may read it. */
export function lost({ disk }: Examined): boolean {
  return disk.long.some(({ tracked }) => tracked)
}
