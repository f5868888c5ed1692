import type { OutsideNetwork } from '../outside.ts'
import type { Secret } from '../secret.ts'
import type { RemoteKey } from '../remote.ts'
import type { PullSettings } from './pull.ts'

/** A pull request to be opened. */
export interface PullRequest {
  /** Of the same project. */
  readonly branch: string
  readonly into: string
  readonly title: string
  /** Markdown. */
  readonly body: string
  readonly draft: boolean
}

/** How a pull request stands, as the forge says. */
export interface PullState {
  readonly number: number
  /** For people; null where the forge names none that can be shown. */
  readonly url: string | null
  readonly state: 'open' | 'merged' | 'closed'
}

/**
 * One project of a forge. Methods reject with `Failure`: `busy` for what may pass by itself (nobody answers, too many
 * requests, a fault of the forge), `repository` for what does not (the token, the project, a refusal). Every call ends
 * within half a minute. Where `open` rejects with `busy` it may have been opened all the same: `find` tells.
 */
export interface Forge {
  /** Resolves where the project is there for whoever has the token; that it may be pushed to is only seen by a push. */
  reach(signal: AbortSignal): Promise<void>
  /** The open pull request from this branch into that one; null where there is none. */
  find(branch: string, into: string, signal: AbortSignal): Promise<PullState | null>
  open(request: PullRequest, signal: AbortSignal): Promise<PullState>
  look(number: number, signal: AbortSignal): Promise<PullState>
}

/** Where a task's branch is pushed to. */
export interface Remote {
  /**
   * `https://…`, `http://…` of this machine, `ssh://…`, or the absolute path of a bare repository. Never with a password.
   */
  readonly url: string
  /** For `ssh://…`, in the place of user and token. */
  readonly ssh?: RemoteKey
  readonly user: string
  readonly token: Secret | null
  readonly network: OutsideNetwork
}

/** What pull requests of a repository are opened with. */
export interface PullPlace {
  readonly settings: PullSettings
  readonly remote: Remote
  forge(): Promise<Forge>
}

/** By the path of a repository; null where none is configured. */
export type PullPlaces = (repository: string) => PullPlace | null
