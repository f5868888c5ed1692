import type { CommitId, Millis, TreeId, TreePath } from './brand.ts'
import type { TaskId } from './ids.ts'
import type { Sources } from './box.ts'
import type { Unreadable } from './failure.ts'
import type { Listing } from './listing.ts'
import type { Remote } from './delivery/forge.ts'
import type { MergeWay } from './delivery/merge.ts'
import type { Change } from './marks/mark.ts'
import type { Policy, Violation } from './policy.ts'

/** A user's repository as it was when a task was made of it. */
export interface RepositoryInfo {
  /** Absolute, resolved path of the repository (its top level, or the bare repository); of one by URL, its name. */
  readonly path: string
  /** Names the mirror: a hash of the path, or of name and URL. */
  readonly key: string
  /** The branch or ref the task starts from, as a person named it (`HEAD` resolves to its branch). */
  readonly ref: string
  readonly commit: CommitId
  /** Things to say at submission: uncommitted work that is not part of the task, submodules left empty, ... */
  readonly notes: readonly string[]
}

/** What names a task's place on disk; a task has all of it from its birth. */
export interface TaskPlace {
  readonly id: TaskId
  readonly repository: { readonly path: string; readonly key: string }
  readonly base: { readonly ref: string; readonly commit: CommitId }
  readonly branch: string
  readonly policy: Policy
}

/** A file that an agent left and that is not part of the candidate, with the reason. */
export interface LeftOut {
  readonly path: TreePath
  readonly why: string
  /** Its path is as it was before the step, and the agent is told. */
  readonly undone?: boolean | undefined
}

export interface DiffStat {
  readonly files: number
  readonly insertions: number
  readonly deletions: number
}

/** What `candidate` answers: a commit, or the reasons why the gate on the git diff made none. */
export type CandidateResult =
  | ({ readonly kind: 'made' } & Candidate)
  | { readonly kind: 'refused'; readonly violations: readonly Violation[] }

export interface Candidate {
  readonly commit: CommitId
  readonly tree: TreeId
  /** False where the tree is that of the parent. */
  readonly changed: boolean
  readonly leftOut: readonly LeftOut[]
  readonly stat: DiffStat
  /** The first of the paths in which it differs from the parent, to be found by; not in what an older version has made. */
  readonly paths?: readonly TreePath[] | undefined
}

/** A task's branch, as far as it is the task's: from its tip by first parents down to the base, which is left out. */
export interface Branch {
  /** Null where there is no such branch. */
  readonly tip: CommitId | null
  /** Newest first; at most 1,000, of more the oldest. */
  readonly commits: readonly BranchCommit[]
}

/** A commit by its bytes. */
export interface BranchCommit {
  /** Computed from its bytes. */
  readonly id: CommitId
  readonly tree: TreeId
  readonly parents: readonly CommitId[]
  /** The attestation that its last line names; null where it names none. */
  readonly attestation: string | null
  /** The id that it would have without that line. */
  readonly unsealed: CommitId
  /**
   * Whether its bytes and, up to the head, those of all objects that came with the branch are what their ids say, and
   * none of them is replaced.
   */
  readonly sound: boolean
}

export interface History {
  readonly mirror: Branch | Unreadable
  readonly source: Branch | Unreadable
}

/** What a branch of the source is to be given. */
export interface MergeWish {
  readonly into: string
  readonly how: MergeWay
  /** Where the work begins, which the branch has to hold: else more than the work would come with it. Null: it may. */
  readonly since: CommitId | null
  /** The date of the commit: with it the same arguments make the same one. */
  readonly at: Millis
  readonly message: string
}

/** What merging a task's work into a branch comes to; `from` is the branch's tip. */
export type Merged =
  /** `sameTree`: it holds what the task's head holds, which has been tested. */
  | {
      readonly kind: 'made'
      readonly from: CommitId
      readonly commit: CommitId
      readonly sameTree: boolean
    }
  /** The branch has the work already. */
  | { readonly kind: 'contained'; readonly from: CommitId }
  /** It does not hold what the work began from: so many commits would come with it that are not the work's. */
  | { readonly kind: 'foreign'; readonly from: CommitId; readonly commits: number }
  /** The branch has gone on by itself, so that it cannot be moved to the work's last commit. */
  | { readonly kind: 'diverged'; readonly from: CommitId }
  | { readonly kind: 'conflict'; readonly from: CommitId; readonly paths: readonly TreePath[] }

/** A branch of the source that is to be moved, if it is still at `from`. */
export interface Move {
  readonly into: string
  readonly from: CommitId
  readonly to: CommitId
  /** It goes back in its own history: a merge is undone. */
  readonly back: boolean
}

/**
 * `elsewhere`: somebody else has moved it; `gone`: so that it does not hold any more what was to be taken back; `refused`: it
 * cannot be moved as things are. Nothing was done then.
 */
export type Moved =
  | { readonly kind: 'moved' }
  | { readonly kind: 'gone'; readonly tip: CommitId }
  | { readonly kind: 'elsewhere'; readonly tip: CommitId }
  | { readonly kind: 'refused'; readonly text: string }

/** For what a task's branch is pushed to another repository. */
export interface PushWish {
  /** The branch there that it is to be proposed for. */
  readonly into: string
  /** Where the work begins, which that branch has to hold: else more than the work would come with it. Null: it may. */
  readonly since: CommitId | null
}

/**
 * `elsewhere`: the branch there holds what is not the task's; `foreign`: what it is proposed for does not hold what the
 * work began from, so many commits would come with it that are not the work's; `refused`: with what the far end says, or
 * what is missing there. Nothing was done then.
 */
export type Pushed =
  | { readonly kind: 'pushed' }
  | { readonly kind: 'elsewhere'; readonly tip: CommitId }
  | { readonly kind: 'foreign'; readonly commits: number }
  | { readonly kind: 'refused'; readonly text: string }

/**
 * Git on the host. All methods are safe to call again with the same arguments. They reject with
 * `Failure('repository' | 'worktree' | 'disk')`, whose message is for people.
 */
export interface Worktrees {
  /**
   * Looks at a repository without changing it; of one by URL, at its mirror, once that is fetched. Refuses in one sentence
   * what cannot be worked on, also with `Failure('remote')`.
   */
  inspect(path: string, ref: string | null): Promise<RepositoryInfo>
  /** The branch for a task: `cofferdam/<id>`, or `cofferdam-<id>` where a branch `cofferdam` is in the way. */
  branchFor(path: string, id: TaskId): Promise<string>
  /** Tracked files of a commit that a policy hides from the box. Refuses a commit for which a box could not be mounted. */
  hidden(path: string, commit: CommitId, policy: Policy): Promise<readonly TreePath[]>
  /** Whether the folders of a task are there, whole; where they are not, `open` makes them anew, at the base. */
  isLaidOut(task: TaskPlace): Promise<boolean>
  /** Mirror, worktree with the filtered checkout of the base, private repository. */
  open(task: TaskPlace): Promise<void>
  /** Makes the worktree exactly what `commit` holds (without denied paths); removes what else is there. */
  restore(task: TaskPlace, commit: CommitId): Promise<void>
  listing(task: TaskPlace): Promise<Listing>
  /** Reads the tree on disk without following anything and names what the policy forbids. Changes nothing. */
  verify(task: TaskPlace, parent: CommitId, signal?: AbortSignal): Promise<readonly Violation[]>
  /**
   * Commits the allowed tree on a private ref, on top of `parent`; nothing is committed where nothing changed.
   * A gate of its own refuses a tree that touches a denied or readonly path, whatever `verify` said.
   * @param signal ends git at once, and the call rejects: nothing has changed then. The same holds for `verify`
   */
  candidate(
    task: TaskPlace,
    parent: CommitId,
    message: string,
    signal?: AbortSignal,
  ): Promise<CandidateResult>
  /**
   * Makes the commit of a checkpoint: the candidate with one more line, which names its attestation (64 hex digits). Tree,
   * parent, author and time are the candidate's, so the same arguments make the same commit. No ref names it yet.
   */
  seal(task: TaskPlace, candidate: CommitId, attestation: string): Promise<CommitId>
  /**
   * The task's branch in the mirror and in the source repository. What consists of more than commits is read as far as
   * `head`: a branch may have gone on without the task.
   */
  history(task: TaskPlace, head: CommitId): Promise<History>
  /** Moves the task's branch in the mirror to a commit. */
  checkpoint(task: TaskPlace, commit: CommitId): Promise<void>
  /**
   * Gives the source repository the task's branch. No hook runs there, nothing else changes. One by URL is given nothing:
   * the branch is in its mirror.
   */
  handover(task: TaskPlace, commit: CommitId): Promise<void>
  /**
   * Makes the commit that a branch of the source is to be moved to, on a private ref. The source is only looked at: also
   * whether a checkout of the branch there would let it be moved, which is refused with what is to be done.
   */
  merge(task: TaskPlace, head: CommitId, wish: MergeWish): Promise<Merged>
  /**
   * Moves a branch of the source, unless somebody else has; a clean checkout of it follows, and no hook or filter runs. Of
   * a repository by URL it is the branch of its remote, whose hooks and rules count.
   * Where it rejects it may have been moved all the same, as when the process ends in the middle: the next call finds out.
   */
  move(task: TaskPlace, move: Move): Promise<Moved>
  /**
   * Makes the task's branch in another repository what `head` is, unless it holds something else there. The hooks there
   * run, as they are its own; where it is a folder, under its owner's ids. Ends within ten minutes.
   */
  push(task: TaskPlace, head: CommitId, remote: Remote, wish: PushWish): Promise<Pushed>
  /** What a merge of the work up to `head` would change in a branch as it is now. A conflict is a `Failure('conflict')`. */
  diffInto(task: TaskPlace, head: CommitId, branch: string): Promise<string>
  /**
   * The unified diff of two commits of the task, as text. Of one longer than 8 MiB, large files have a heading and a mark
   * alone; what still is longer is capped, with a mark that names the files behind it.
   */
  diff(task: TaskPlace, from: CommitId, to: CommitId): Promise<string>
  /**
   * What a task's work changes, path by path, out of git's objects alone; null where that is too much, or takes longer
   * than half a minute. Files that `wants` names come with their content, up to 256 KiB each and 4 MiB in all.
   */
  changes(
    task: TaskPlace,
    from: CommitId,
    to: CommitId,
    wants: (path: TreePath) => boolean,
    signal?: AbortSignal,
  ): Promise<readonly Change[] | null>
  /** What decides whether setup must run again: a hash over manifests and lock files of a commit. */
  setupKey(task: TaskPlace, commit: CommitId): Promise<string>
  /** Records what a setup box left in ignored folders and throws the rest away; the names of both are returned. */
  keepSetup(task: TaskPlace, key: string): Promise<{ kept: readonly TreePath[]; dropped: readonly LeftOut[] }>
  /** Whether what setup left under this key is on disk as it was recorded: a second for some 30,000 files. */
  setupIntact(task: TaskPlace, key: string): Promise<boolean>
  /** Top folders that setup left, for mounts; empty without setup. */
  setupFolders(task: TaskPlace): Promise<readonly TreePath[]>
  /** Writes the file of an attempt (the prompt); it is at `/cofferdam/attempt/<name>` in the box. */
  writeAttemptFile(task: TaskPlace, name: string, content: string): Promise<void>
  /**
   * Lays the agent's own folder down anew: these files, by their paths in it, and the conversation that was kept under
   * the name `from`, of this task or of another one, `of`.
   * @returns whether that conversation was there
   */
  openAgentFolder(
    task: TaskPlace,
    files: Readonly<Record<string, string>>,
    from: string | null,
    of?: TaskPlace,
  ): Promise<boolean>
  /**
   * Keeps of the agent's folder the files that `keeps` names, under `name`, besides what is kept under `also` alone. Only
   * plain files count, 64 of them and 64 MiB at most: of more, nothing is kept.
   */
  keepConversation(
    task: TaskPlace,
    name: string,
    keeps: (path: string) => boolean,
    also: string | null,
  ): Promise<void>
  materials(task: TaskPlace): Sources
  /** Removes worktree, trees, private repository and private refs of a task. The branch in the source stays. */
  discard(task: TaskPlace): Promise<void>
  /** Tasks that have a folder here. */
  laidOut(): Promise<readonly TaskId[]>
  /** Removes the folders of a task. Its commits and its branch stay, and `open` would lay it out anew. */
  putAway(task: TaskPlace): Promise<void>
  /**
   * Removes what killed processes left: locks, half-made folders, the folders of discarded tasks and those that were
   * laid out for a look (`passingId`). Work of tasks that nobody knows stays, and so do commits.
   */
  sweep(discarded: ReadonlySet<TaskId>): Promise<void>
  /**
   * This process ends: what git is doing is broken off, and its calls reject. All of it can be done again by the next,
   * whose sweep takes away what is half made.
   */
  end(): void
}
