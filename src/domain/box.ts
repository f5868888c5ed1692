import type { BoxPath, CommitId, Millis, TreePath } from './brand.ts'
import type { Egress } from './egress.ts'
import type { TaskId } from './ids.ts'
import type { ImageNeed } from './image.ts'
import type { Limits, Policy } from './policy.ts'
import type { Listing } from './listing.ts'
import type { Posture } from './posture.ts'

/** What a box is for. `test` and `baseline` have no egress, and keep nothing of what they write. */
export type BoxKind = 'setup' | 'baseline' | 'agent' | 'test'

/**
 * Where a mount comes from, by what it is and never by host path: the engine materialises it on its own node.
 * A `path` is relative to the source; `''` is its root.
 */
export type BoxSource =
  /** The task's worktree on the host, or a path in it. */
  | { readonly kind: 'worktree'; readonly path: TreePath }
  /**
   * A checkout of exactly this commit without denied content. `discard`: what setup left lies under it, and what the box
   * writes is thrown away. `keep`: a checkout of its own whose writes stay, for a setup box.
   */
  | { readonly kind: 'tree'; readonly commit: CommitId; readonly writes: 'discard' | 'keep' }
  /** A folder that setup left, copy-on-write: writes are thrown away. */
  | { readonly kind: 'setup'; readonly path: TreePath }
  /** The private git repository of the box. */
  | { readonly kind: 'git' }
  /** A `.git` file that names the place of the private repository in the box. */
  | { readonly kind: 'pointer' }
  /** A folder with the files of this attempt (the prompt). */
  | { readonly kind: 'attempt' }
  /** The agent's own folder: its settings, laid down fresh, and the conversation that it goes on with. */
  | { readonly kind: 'agent' }
  /** A duplex channel to the gateway: the local engine makes it a unix socket `s` in a folder. */
  | { readonly kind: 'channel' }
  /** A package manager's cache of the task's repository: `npm`, `pip`. Filled by setup boxes alone. */
  | { readonly kind: 'cache'; readonly name: string; readonly writes: 'keep' | 'none' }
  | { readonly kind: 'empty-file' }
  | { readonly kind: 'empty-folder' }

export interface BoxMount {
  readonly source: BoxSource
  readonly target: BoxPath
  readonly readonly: boolean
  /** The reason, in a word or a rule: shown by `cofferdam explain`. */
  readonly why: string
  /**
   * Set where the target may not exist in the worktree: the engine then makes it before the box starts, with the box's
   * uid, notes it before it does, and removes it afterwards if it is unchanged.
   */
  readonly placeholder?: 'file' | 'folder'
}

/** The policy's limits, and the wall time until the box is ended, seconds; enforced inside the box and outside. */
export type BoxLimits = Omit<Limits, 'testSeconds' | 'setupSeconds'> & { readonly seconds: number }

interface AnyBoxRequest {
  /** Names this installation on the engine: lowercase letters and digits, at most 12. */
  readonly installation: string
  readonly task: TaskId
  readonly step: number
  readonly attempt: number
  readonly fence: number
  readonly image: string
  readonly user: { readonly uid: number; readonly gid: number }
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly seconds: number
  readonly policy: Policy
}

/** On the worktree itself. */
export interface AgentBoxRequest extends AnyBoxRequest {
  readonly kind: 'agent'
  /** What is in the worktree. */
  readonly listing: Listing
  /** Set for a question: all of the repository can be read and none of it written, whatever the policy allows. */
  readonly readOnly?: boolean
  /** Top folders that setup left. */
  readonly setupFolders: readonly TreePath[]
  /** Whether it has a folder of its own (`agentHome`), for settings and conversations. */
  readonly ownFolder: boolean
  /** Package managers' caches of the repository, by name: it only reads them. */
  readonly caches: readonly string[]
  /** What it may reach; null for a box without a channel. */
  readonly egress: Egress | null
}

/** On a checkout of a commit, whose writes stay. */
export interface SetupBoxRequest extends AnyBoxRequest {
  readonly kind: 'setup'
  readonly commit: CommitId
  /** It fills them. */
  readonly caches: readonly string[]
  readonly egress: Egress | null
}

/** On a checkout of a commit with what setup left; nothing that it writes stays, and it reaches nothing. */
export interface TestBoxRequest extends AnyBoxRequest {
  readonly kind: 'baseline' | 'test'
  readonly commit: CommitId
  /** It only reads them. */
  readonly caches: readonly string[]
}

/** What a box spec is computed from. */
export type BoxRequest = AgentBoxRequest | SetupBoxRequest | TestBoxRequest

/** Computes a box spec; pure. */
export type CompileBox = (request: BoxRequest) => BoxSpec

/** Everything about a box, computed before anything is done. Plain data: hashed, logged, printed, golden-tested. */
export interface BoxSpec {
  /** Deterministic: installation, task, step, attempt, kind and fence. A second box of this name cannot be made. */
  readonly name: string
  readonly kind: BoxKind
  readonly task: TaskId
  readonly step: number
  readonly attempt: number
  readonly fence: number
  /** The image's id (`sha256:…`). */
  readonly image: string
  readonly user: { readonly uid: number; readonly gid: number }
  /** Where the command starts: `/work`. */
  readonly folder: BoxPath
  readonly argv: readonly string[]
  /** A file in the box that becomes the command's standard input; null is an empty one. */
  readonly stdin: BoxPath | null
  readonly env: Readonly<Record<string, string>>
  /** There is no network card in any box. What it may reach over its channel; null where it has none. */
  readonly egress: Egress | null
  readonly mounts: readonly BoxMount[]
  readonly limits: BoxLimits
}

/** Why a box ended. */
export type BoxEnd =
  | 'exited'
  /** Its time limit. */
  | 'time'
  /** Killed by us: stop, pause, budget. */
  | 'killed'
  /** The kernel's out-of-memory killer took it, or a child of it that it did not survive. */
  | 'oom'
  /** It hit its limit of processes and did not survive that. */
  | 'pids'
  /** The disk is nearly full. */
  | 'disk'
  /** It added more to its worktree than that may hold. */
  | 'grown'
  /** It printed far more than is kept. */
  | 'output'
  /** The command could not be executed. One that ran and ended with code 126 or 127 by itself has `exited`. */
  | 'not_started'
  /** The engine lost it: gone, restarted, broken. Worth another attempt. */
  | 'engine'

export interface BoxResult {
  readonly end: BoxEnd
  /** Null where the engine lost the box. */
  readonly exitCode: number | null
  /** The first 64 KiB and the last 256 KiB of output, both streams in order, as text; a mark between them where cut. */
  readonly output: string
  readonly outputBytes: number
  readonly truncated: boolean
  readonly startedAt: Millis
  readonly endedAt: Millis
  readonly peaks: Peaks
  /** A sentence for people where `end` is not `exited`. */
  readonly message: string | null
}

/** The most that a box was seen to use; null where it ended before it was looked at, or the engine cannot say. */
export interface Peaks {
  readonly memoryMb: number | null
  readonly pids: number | null
  readonly cpuMs: number | null
}

/** A box of this installation, as the engine sees it. */
export interface BoxSeen {
  readonly name: string
  readonly task: TaskId
  readonly specHash: string
  readonly running: boolean
}

/** What `run` tells while it goes on. */
export interface BoxWatcher {
  /** Called once, when the box is known to be running. */
  started(at: Millis): void
  /** All output as it comes, in order; must not block. How much of it is shown is the watcher's to decide. */
  output(chunk: Buffer): void
}

/**
 * What runs boxes. Any method may be called again after a crash with the same arguments and goes on where it was.
 * Methods reject with `Failure('engine' | 'image')` when the engine cannot be reached or refuses.
 * There is no method to prepare a box, so that a crash leaves nothing between two calls: `run` does it; nor one to kill it:
 * the signal of `run` does, and `remove` where nobody runs it any more.
 */
export interface Engine {
  /** What is behind it, for people: `docker 20.10.24, runc 1.1.5`. Rejects when it is down. */
  describe(): Promise<string>
  /**
   * What the walls of this engine are worth: a canary box is run with the full spec, once for each engine, runtime and
   * image, and remembered. Rejects where no box can be run at all.
   */
  posture(): Promise<Posture>
  /**
   * Resolves to the id of the image for a box, or for any where nothing is said; rejects with `Failure('image')` and what to
   * run where it is missing, or has not the agent.
   */
  image(need?: ImageNeed): Promise<string>
  /**
   * Runs a box to its end: make placeholders, create, compare with the spec, attach, start, wait, inspect.
   * When a box of this name already exists with the same spec hash, it is taken over where it is: watched to its end
   * if it runs, read if it has ended, started if it never was. With another hash it rejects.
   * A box that is taken over gives its output from the beginning again, as far as the engine kept it.
   * The box is still there afterwards: `remove` it when its result is recorded. Aborting `signal` kills it, and the
   * result's end is `killed`; aborting it with the reason `detach` leaves it running and `run` rejects at once with
   * that reason. A box that the engine lost is a result with end `engine`, not a rejection.
   */
  run(spec: BoxSpec, materials: Materials, watcher: BoxWatcher, signal: AbortSignal): Promise<BoxResult>
  /** Every box with this installation's label, and only those. */
  list(): Promise<readonly BoxSeen[]>
  /** Kills and removes the box with all that was made for it (volumes, placeholders). Fine when it is gone already. */
  remove(name: string): Promise<void>
  /** Removes leftovers of boxes that no longer exist (placeholders, scratch folders); names in `keep` are spared. */
  sweep(keep: ReadonlySet<string>): Promise<void>
}

/** The reason to abort `run` with, to leave the box to the next process. */
export const detach = 'detach'

/**
 * What the caller offers an engine for the mounts of one task. A local engine asks for folders; an engine that shares no
 * disk with the caller asks for a tar stream and hands one back for sources whose writes stay. Docker's is local, and no
 * other runs boxes yet: of what runs today only the fake engine of the tests asks for streams, which keeps this port honest
 * for one on another machine.
 */
export interface Sources {
  /** The host path of a source; prepared if need be (a tree is checked out). */
  locate(source: BoxSource): Promise<string>
  /** The source's content as a tar stream. */
  pack(source: BoxSource): Promise<NodeJS.ReadableStream>
  /** Replaces the content of a writable source by that of a tar stream; refuses entries that lead out of it. */
  unpack(source: BoxSource, tar: NodeJS.ReadableStream): Promise<void>
}

/** The sources of a box's mounts, and the other end of its channel. */
export interface Materials extends Sources {
  /** Takes a connection that the box made over its channel; never throws. Not called for a box without one. */
  accept(connection: NodeJS.ReadWriteStream): void
}
