import type { CommitId, HostPath, Millis } from './brand.ts'
import type { Secret } from './secret.ts'

/** What the configuration calls a repository by that it gives by URL. Paths are absolute, so nothing is both. */
export const repositoryName = /^[A-Za-z0-9][\w.-]{0,63}$/

/** What names a repository: an absolute path, or such a name. */
export const repositoryPlace = /^(?:\/|[A-Za-z0-9][\w.-]{0,63}$)/

/** Whether what names a repository is a name of the configuration, and not a path. */
export function isByName(repository: string): boolean {
  return !repository.startsWith('/')
}

/** A repository that the configuration gives by URL. */
export interface RemoteSettings {
  readonly name: string
  /** `https:`, `ssh:` or `file:`, or `http:` of this machine; without a password, a query or a fragment. */
  readonly url: string
  /** Over HTTPS; null where nobody has to say who they are. */
  readonly login: RemoteLogin | null
  /** Over SSH. */
  readonly ssh: RemoteKey | null
  /** What becomes of a task while the remote does not answer: it has to wait, or begins at what was fetched last. */
  readonly away: 'wait' | 'continue'
  /** For asking and fetching, and for the first clone. */
  readonly fetchMs: Millis
  readonly cloneMs: Millis
  /** What the remote may send at once, MiB. */
  readonly mostMb: number
}

/** Files: a private key without a passphrase, and the keys that hosts are known by. */
export interface RemoteKey {
  readonly key: HostPath
  readonly knownHosts: HostPath
}

interface RemoteLogin {
  readonly user: string
  /** Null where its variable is not set. */
  readonly password: Secret | null
  /** Where that was looked for, for a sentence. */
  readonly from: string
}

/** A branch of a remote that is to be moved, if it is still at `from`. */
export interface RemoteMove {
  /** Without `refs/heads/`. */
  readonly branch: string
  readonly from: CommitId
  /** The mirror holds it. */
  readonly to: CommitId
  /** It goes back in its own history. */
  readonly back: boolean
}

/** How a repository by URL stands. */
export interface RemoteState {
  readonly url: string
  readonly state: 'missing' | 'cloning' | 'cloned'
  /** What git says of a clone under way, such as `Receiving objects: 45%`. */
  readonly progress: string | null
  /** When it was asked last with an answer; null where it never was. */
  readonly fetchedAt: Millis | null
  /** Why it could not be asked last, for people; null where it could. */
  readonly error: string | null
}

/**
 * The repositories that the configuration gives by URL. Each has a mirror in the data folder, which is what tasks begin at
 * and leave their branches in. Methods reject with `Failure('remote' | 'repository' | 'disk')`, whose message is for people:
 * `remote` is what may be otherwise in a while, and `repository` what somebody has to mend.
 */
export interface Remotes {
  readonly names: readonly string[]
  /** Names the mirror. Throws `Failure('repository')` where nothing of that name is configured. */
  key(name: string): string
  state(name: string): RemoteState
  /**
   * Fetches, or clones where there is no mirror yet: that goes on when waiting for it ends, which is after ten seconds
   * unless `wait` is `whole`. Resolves to what people should be told of the answer.
   */
  refresh(name: string, wait?: 'whole'): Promise<readonly string[]>
  /** Asks the remote alone, and changes nothing. Resolves to what there is, in a sentence. */
  reach(name: string): Promise<string>
  /**
   * Fetches, whatever `away` says of a remote that does not answer, and resolves to where a branch of it is now: null where
   * it has none of that name.
   */
  tip(name: string, branch: string): Promise<CommitId | null>
  /**
   * Moves a branch of the remote, with the credentials that it is fetched with; the remote's own hooks and rules count.
   * Resolves to why it was not moved, in a sentence; null where it was. It may have been moved all the same where nobody
   * answered: `tip` tells. `rehearse` finds out what can be known of that without moving anything.
   */
  move(name: string, move: RemoteMove): Promise<string | null>
  rehearse(name: string, move: RemoteMove): Promise<string | null>
  /** Begins to clone what has no mirror yet; what comes of it is told by `state`. */
  begin(): void
  /** This process ends: what git is doing is broken off. Resolves when it is. */
  end(): Promise<void>
}
