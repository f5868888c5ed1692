import type { BoxPath, HostPath, Millis } from '../domain/brand.ts'
import type { TaskId } from '../domain/ids.ts'
import type { PolicyMatcher } from '../domain/matcher.ts'
import type { Policy } from '../domain/policy.ts'
import type { Remotes } from '../domain/remote.ts'
import type { Entry } from './entries.ts'
import type { Git, GitSettings, Identity } from './git.ts'
import type { Author } from './hardening.ts'
import type { Looks } from './looks.ts'
import type { Memory } from './memory.ts'
import type { Serial } from './serial.ts'

export interface WorktreesOptions {
  /** The data folder: exists, mode 0700, ours. */
  readonly data: HostPath
  /** Who owns worktrees and runs in boxes; our own ids where we are not root. */
  readonly user: Identity
  /** Author and committer of checkpoints. */
  readonly author: Author
  /** Where a box finds its private repository. */
  readonly pointerTarget: BoxPath
  readonly policyMatcher: (policy: Policy) => PolicyMatcher
  /** The time, for commits; the machine's clock unless told. */
  readonly clock?: () => Millis
  /** How long a push to another machine may take, ms; ten minutes unless told. */
  readonly pushMs?: number
  /** Where git is looked for, as in PATH; the usual folders unless told. */
  readonly searchPath?: string
  /** Of certificates, in PEM: whom git believes over TLS; those of the system unless told. */
  readonly authorities?: HostPath
  /** Repositories by URL; none unless told. */
  readonly remotes?: Remotes
}

/** What all parts of this adapter work with. */
export interface Site extends WorktreesOptions {
  readonly settings: GitSettings
  readonly clock: () => Millis
  readonly remotes: Remotes
  readonly git: Git
  /** Our own uid. */
  readonly self: number
  /** What this process knows of each task beyond what is on disk. */
  readonly memories: Map<TaskId, Memory>
  /** What the commit that was inspected last holds, by repository and commit. */
  readonly looked: Map<string, readonly Entry[]>
  /** What was asked of users' repositories a moment ago. */
  readonly looks: Looks
  /** One thing at a time per mirror. */
  readonly serial: Serial
}

/** Whether what we make must be given to the boxes' user. */
export function isForeign(site: Site): boolean {
  return site.user.uid !== site.self
}
