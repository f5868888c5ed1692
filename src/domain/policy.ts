import type { TreePath } from './brand.ts'
import type { PostureLevel } from './posture.ts'

/** What a box may use at most. */
export interface Limits {
  readonly memoryMb: number
  readonly cpus: number
  readonly pids: number
  readonly openFiles: number
  /** Largest file that a process may write, MiB. */
  readonly fileMb: number
  /**
   * Size of each of /tmp and the home folder (tmpfs, counted as memory), MiB. A setup box gets half of `memoryMb` where that
   * is more: package managers unpack there.
   */
  readonly tmpMb: number
  /** Output kept of one box, MiB; what comes after is dropped and marked, and 64 times as much ends the box. */
  readonly outputMb: number
  /** What a box may add to the disk of its worktree, MiB, and to the number of its files. */
  readonly worktreeMb: number
  readonly worktreeFiles: number
  /** What a box may send over its channel and get from it, MiB, and how many connections may be open at once. */
  readonly upMb: number
  readonly downMb: number
  readonly connections: number
  /** A box is ended when the disk of the data folder has less free than this, MiB. */
  readonly diskFreeMb: number
  /** Wall time of one test or setup box, seconds. */
  readonly testSeconds: number
  readonly setupSeconds: number
}

/**
 * What a task may touch. The three lists hold patterns in `.gitignore` syntax without `!`; deny beats readonly beats
 * allow, the order never matters. They are the effective lists: the defaults are already in them. What is denied is in no box
 * at all, in that of the tests neither: there is no list that reveals a path to tests alone.
 */
export interface Policy {
  /** When not empty, everything it does not match is readonly. */
  readonly allow: readonly string[]
  readonly readonly: readonly string[]
  readonly deny: readonly string[]
  /** Names that deny patterns do not mean, such as `.env.example`; matched on the last part of a path. */
  readonly except: readonly string[]
  /** What to do when a denied path is created: `retry` once with a word to the agent, or `fail` at once. */
  readonly onViolation: 'retry' | 'fail'
  /**
   * Hosts that agent boxes may open tunnels to: `name`, `*.name`, each with `:port` where that is not 443. Empty is
   * nothing.
   */
  readonly egress: readonly string[]
  /** Names of upstreams that the boxes of the agent `command` get; other agents get their own model's. */
  readonly upstreams: readonly string[]
  /** The least posture of an engine that this policy accepts. */
  readonly posture: PostureLevel
  readonly limits: Limits
}

/** `none`: free to write. The rule is the pattern that decided. */
export type Verdict =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'readonly' | 'deny'
      readonly rule: string
      readonly list: 'readonly' | 'deny' | 'allow'
    }

/** Something the agent did to a path that the policy does not allow. */
export interface Violation {
  readonly path: TreePath
  readonly rule: string
  readonly kind: 'deny' | 'readonly'
  /**
   * `created`: a path that was not there; `changed`: one that was (content, mode, type, removal);
   * `mask`: a mask or a placeholder of the box was tampered with.
   */
  readonly what: 'created' | 'changed' | 'mask'
  /** What is there now: file, folder, symlink, fifo, repository, ...; `gone` when it was removed. */
  readonly found: string
}
